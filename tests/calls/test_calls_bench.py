import asyncio
import json

import pytest
from rich.console import Console

from app.exchange.bench import run_bench
from app.exchange.bench_report import BenchReport, Heard, render


@pytest.mark.realtime
def test_a_small_bench_hears_every_call_to_its_end():
    report = asyncio.run(run_bench(calls=2, seconds=8))
    assert report.told["reasons"] == {"caller_hung_up": 2}, report.as_dict()
    assert len(report.heard) == 2
    assert all(call.replies_ms for call in report.heard), report.as_dict()  # figures depend on what else runs here
    json.dumps(report.as_dict())


def test_a_bench_with_an_underrun_is_not_good():
    told = {"reasons": {"caller_hung_up": 1}, "voice": "silero", "pacer_late_ms": 1.0}
    console = Console(record=True, width=120)
    for underruns in (0, 1):
        heard = (Heard((900, 1000), (180,), underruns),)
        report = BenchReport(1, 10.0, heard, told, 850, 0.01, 1024.0, 2.0)
        assert report.good is (underruns == 0)
        assert report.as_dict()["added_ms"] == {"p50": 50, "p95": 150, "p99": 150, "max": 150}
        render(report, console)
    text = console.export_text()
    assert text.count("not good") == 1
    assert "promised" not in text


def test_a_bench_says_when_interruptions_were_slow():
    told = {"reasons": {"caller_hung_up": 1}, "voice": "silero", "pacer_late_ms": 1.0}
    console = Console(record=True, width=120)
    render(BenchReport(1, 10.0, (Heard((900,), (320,), 0),), told, 850, 0.01, 1024.0, 2.0), console)
    assert "above the promised 300 ms" in console.export_text()
