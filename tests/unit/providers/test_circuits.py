from app.errors import ProviderDown, ProviderRefused
from app.providers.breaker import Rules
from app.providers.circuits import FORSAKEN_S, Circuit, FuseBox, Service

RULES = Rules(failures=3, window_s=60, rest_s=10, probe_s=10)
OPENAI = Service("llm", "openai")


def fail(box: FuseBox, tenant: str, times: int = 3, now: float = 0.0) -> None:
    for _ in range(times):
        box.circuits("llm", tenant).failed("openai", ProviderDown("HTTP 500", provider_code=500), now)


def test_a_provider_fails_for_one_business_and_one_stage():
    box = FuseBox(RULES)
    fail(box, "a")
    assert not box.circuits("llm", "a").admits("openai", 1)
    assert box.circuits("llm", "b").admits("openai", 1)
    assert box.circuits("tts", "a").admits("openai", 1)


def test_down_for_two_businesses_is_down_for_all():
    box = FuseBox(RULES)
    fail(box, "a")
    fail(box, "b")
    assert not box.circuits("llm", "c").admits("openai", 1)
    assert box.circuits("llm", "c").admits("another", 1)


def test_who_asks_to_be_left_alone_is_at_once():
    box = FuseBox(RULES)
    box.circuits("llm").failed("openai", ProviderDown("HTTP 429", provider_code=429), 0)
    assert not box.circuits("llm").admits("openai", 1)


def test_a_text_that_cannot_be_spoken_is_no_failure():
    box = FuseBox(Rules(failures=1))
    box.circuits("tts").failed("offline", ProviderRefused("not in the pack"), 0)
    assert box.circuits("tts").admits("offline", 0)


def test_callers_do_not_try_out_what_is_probed():
    box = FuseBox(RULES, probed={OPENAI})
    fail(box, "a")
    assert not box.circuits("llm", "a").admits("openai", RULES.rest_s + 1)
    box.probe_failed(OPENAI, ProviderDown("still"), 11)
    assert not box.circuits("llm", "a").admits("openai", 11 + FORSAKEN_S - 1)
    assert box.circuits("llm", "a").admits("openai", 11 + FORSAKEN_S), "unless the prober is gone"


def test_a_probe_that_worked_closes_it_for_all():
    box = FuseBox(RULES, probed={OPENAI})
    fail(box, "a")
    fail(box, "b")
    box.probe_worked(OPENAI, 1)
    assert box.circuits("llm", "a").admits("openai", 1)
    assert box.circuits("llm", "b").admits("openai", 1)
    assert box.doubted(1) == frozenset()


def test_failed_probes_open_what_a_single_call_made_doubtful():
    box = FuseBox(RULES, probed={OPENAI})
    fail(box, "a", times=1)
    assert box.doubted(0) == {OPENAI}
    box.probe_failed(OPENAI, ProviderDown("x"), 1)
    assert box.circuits("llm", "a").admits("openai", 2)
    box.probe_failed(OPENAI, ProviderDown("x"), 2)
    assert not box.circuits("llm", "a").admits("openai", 2)


def test_a_probe_that_worked_does_not_forgive_what_calls_suffer():
    box = FuseBox(RULES, probed={OPENAI})
    fail(box, "a", times=2)
    box.probe_worked(OPENAI, 1)
    assert box.doubted(1) == frozenset(), "once is enough, until it fails again"
    fail(box, "a", times=1, now=2)
    assert not box.circuits("llm", "a").admits("openai", 2)


def test_what_others_opened_holds_as_long_as_they_say_so():
    box = FuseBox(RULES)
    box.told_of({Circuit("llm", "openai", "a"): 30.0})
    assert not box.circuits("llm", "a").admits("openai", 29)
    assert box.circuits("llm", "b").admits("openai", 29)
    assert box.circuits("llm", "a").admits("openai", 30)
    box.told_of({})
    assert box.circuits("llm", "a").admits("openai", 1)
