import asyncio
import time

import pytest

from app.exchange.virtual import STARTED_AT, run


def test_a_long_sleep_takes_no_time():
    async def main() -> float:
        await asyncio.sleep(24 * 3600 * 3)
        return asyncio.get_running_loop().time()

    began = time.perf_counter()
    assert run(main()) == pytest.approx(STARTED_AT + 24 * 3600 * 3)
    assert time.perf_counter() - began < 1


def test_timers_fire_in_order_and_on_time():
    async def main() -> list[tuple[str, float]]:
        loop, seen = asyncio.get_running_loop(), []

        async def after(seconds: float, name: str) -> None:
            await asyncio.sleep(seconds)
            seen.append((name, round(loop.time() - STARTED_AT, 6)))

        async with asyncio.TaskGroup() as group:
            group.create_task(after(0.3, "c"))
            group.create_task(after(0.1, "a"))
            group.create_task(after(0.2, "b"))
        return seen

    assert run(main()) == [("a", 0.1), ("b", 0.2), ("c", 0.3)]


def test_a_timeout_is_measured_in_virtual_time():
    async def main() -> None:
        async with asyncio.timeout(60):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run(main())


def test_waiting_for_what_cannot_come_is_an_error_that_names_the_waiter():
    async def forever() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(forever(), name="patient one")

    with pytest.raises(RuntimeError, match=r"deadlock.*patient one at .*test_virtual"):
        run(main())


def test_work_for_an_executor_runs_inline_and_its_errors_reach_the_waiter():
    async def main() -> list[int]:
        order = [1]
        waiter = asyncio.create_task(asyncio.to_thread(order.append, 2))
        await waiter
        with pytest.raises(ZeroDivisionError):
            await asyncio.get_running_loop().run_in_executor(None, divmod, 1, 0)
        return order

    assert run(main()) == [1, 2]


def test_executor_work_lets_others_run_between():
    async def main() -> list[str]:
        seen: list[str] = []

        async def worker(name: str) -> None:
            for _ in range(2):
                await asyncio.to_thread(seen.append, name)

        async with asyncio.TaskGroup() as group:
            group.create_task(worker("a"))
            group.create_task(worker("b"))
        return seen

    assert run(main()) == ["a", "b", "a", "b"]
