from dataclasses import replace
from datetime import date
from importlib import resources

import pytest

from app.dialog.playbook import parse
from app.dialog.voice import Voice
from app.errors import BadSetting, ProviderDown
from app.providers.meter import Meter
from app.providers.registry import Providers
from app.settings import Settings, load

KEYS = {"DEEPGRAM_API_KEY": "d", "ELEVENLABS_API_KEY": "e", "ELEVENLABS_VOICE_ID": "v"}


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # no .env
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)


@pytest.fixture(scope="module")
def playbook():
    text = (resources.files("app.playbooks") / "northlight_solar.yaml").read_text(encoding="utf-8")
    return parse(text, "northlight_solar.yaml")


def chains(playbook, **settings) -> tuple[list[str], list[str]]:
    """Speech to text and text to speech, as one call would go through them."""
    providers = Providers(load(**settings))
    stt, tts = (
        [each.name for each in getattr(part, "_providers", [part])]
        for part in (providers.speech_to_text(playbook), providers.text_to_speech(playbook))
    )
    return stt, tts


def test_without_keys_all_is_offline(playbook):
    assert chains(playbook) == (["offline"], ["offline"])


def test_with_keys_the_live_ones_come_first(playbook):
    assert chains(playbook, **KEYS) == (["deepgram", "offline"], ["elevenlabs", "aura", "offline"])


def test_a_chain_that_was_asked_for(playbook):
    asked = {"STROWGER_STT": "offline, deepgram", "STROWGER_TTS": "elevenlabs"}
    assert chains(playbook, **KEYS, **asked) == (["offline", "deepgram"], ["elevenlabs"])


def test_a_missing_key_falls_through(playbook):
    asked = {"STROWGER_STT": "deepgram,offline", "STROWGER_TTS": "elevenlabs,offline", "ELEVENLABS_API_KEY": "e"}
    assert chains(playbook, **asked) == (["offline"], ["offline"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"STROWGER_STT": "deepgram"}, "STROWGER_STT .* set DEEPGRAM_API_KEY"),
        ({"STROWGER_TTS": "elevenlabs", "ELEVENLABS_API_KEY": "e"}, "set ELEVENLABS_VOICE_ID"),
        ({"STROWGER_STT": "acme,offline"}, "STROWGER_STT names 'acme'; this version has deepgram, offline"),
        ({"STROWGER_TTS": "a;b"}, "STROWGER_TTS .* Example: STROWGER_TTS=elevenlabs,offline"),
    ],
)
def test_what_cannot_be_stops_the_start_with_one_sentence(asked, said):
    with pytest.raises(BadSetting, match=said):
        Providers(load(**asked))


def innermost(tts):
    """Without what is a call's own around it: its meter, its memory."""
    while "_tts" in vars(tts):
        tts = vars(tts)["_tts"]
    return tts


def test_each_call_has_a_chain_of_its_own_over_shared_providers(playbook):
    providers = Providers(load(**KEYS))
    one, other = providers.text_to_speech(playbook), providers.text_to_speech(playbook)
    assert one is not other
    shared, again = ([innermost(tts) for tts in vars(chain)["_providers"]] for chain in (one, other))
    assert shared == again
    vars(one)["_circuits"].failed("elevenlabs", ProviderDown("busy", provider_code=429), 0)
    assert not vars(other)["_circuits"].admits("elevenlabs", 1)


def test_a_playbook_with_a_voice_of_its_own_gets_it_and_shares_it_with_nobody_else(playbook):
    providers = Providers(load(**KEYS, STROWGER_TTS="elevenlabs,aura"))
    wished = Voice(ids=(("elevenlabs", "dana"), ("aura", "aura-2-zeus-en")), speed=1.1)
    other = replace(playbook, voice=wished)
    versions = [
        {each.name: each.voice_version for each in vars(providers.text_to_speech(book))["_providers"]}
        for book in (playbook, other, replace(other, name="a third"))
    ]
    assert versions[0]["elevenlabs"] != versions[1]["elevenlabs"]
    assert versions[0]["aura"] != versions[1]["aura"]
    assert versions[1] == versions[2]


def test_deepgram_listens_for_the_names_in_the_playbook(playbook):
    from app.providers.deepgram import make

    wishes = vars(make(load(**KEYS), playbook))["_sockets"]._wishes
    assert {"Northlight Solar", "Nora"} <= set(wishes.keyterms)
    assert len(wishes.keyterms) == len(set(wishes.keyterms))
    assert wishes.language == "en"


LLM_KEYS = {"OPENAI_API_KEY": "o", "OPENAI_2_MODEL": "small", "ELEVENLABS_API_KEY": "e", "ELEVENLABS_VOICE_ID": "v"}


@pytest.mark.parametrize(
    ("given", "models"),
    [
        ({}, []),
        (LLM_KEYS, ["openai", "openai_2"]),
        (LLM_KEYS | {"ANTHROPIC_API_KEY": "a"}, ["openai", "openai_2", "anthropic"]),
        (
            LLM_KEYS | {"ANTHROPIC_API_KEY": "a", "STROWGER_LLM": "openai_responses,anthropic,playbook"},
            ["openai_responses", "anthropic"],
        ),
        (LLM_KEYS | {"STROWGER_LLM": "anthropic,openai,playbook"}, ["openai"]),
        (LLM_KEYS | {"STROWGER_LLM": "openai_2,openai,playbook"}, ["openai_2", "openai"]),
        (LLM_KEYS | {"STROWGER_LLM": "openai,playbook,openai_2"}, ["openai"]),
        (LLM_KEYS | {"STROWGER_LLM": "playbook,openai"}, []),
    ],
)
def test_the_models_of_a_chain_are_those_before_the_playbook(given, models):
    assert [model.name for model in Providers(load(**given)).language_models] == models


def test_one_model_may_hear_think_and_speak_with_the_others_behind_it(playbook):
    asked = {"STROWGER_LLM": "realtime,playbook", "OPENAI_API_KEY": "o", "OPENAI_REALTIME_VOICE": "cedar"}
    providers = Providers(load(**KEYS, **asked))
    trio = providers.trio(playbook, today=date(2026, 11, 20), direction="inbound", meter=Meter())
    assert (trio.dialogue.name, trio.tts.name) == ("realtime", "realtime")
    assert [each.name for each in vars(trio.stt)["_providers"]] == ["realtime", "deepgram", "offline"]
    other = providers.trio(playbook, today=date(2026, 11, 20), direction="inbound", meter=Meter())
    assert vars(other.tts)["_socket"] is not vars(trio.tts)["_socket"], "a socket belongs to one call"


def test_without_a_key_for_it_the_three_go_on_without_it(playbook):
    providers = Providers(load(**KEYS, STROWGER_LLM="realtime,playbook"))
    trio = providers.trio(playbook, today=date(2026, 11, 20), direction="inbound", meter=Meter())
    assert (trio.dialogue.name, trio.tts.name) == ("playbook", "elevenlabs")
