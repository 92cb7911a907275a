"""The doctor on voices that answer: what keeps them from speaking, and from understanding."""

from pathlib import Path
from typing import Any

import pytest

from calls.models import Voice
from contactcenter import doctor_voices
from contactcenter.reach import Careful, Several, Wrong
from streams.speech import registry
from streams.voices.openai import line as openai_line

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fit(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with flite, a site with a transcriber."""
    settings.TRANSCRIBER = "embedded"
    settings.SPEAKER = "flite"
    monkeypatch.setattr(registry, "trouble", lambda name: None)


def faults() -> list[Wrong]:
    with pytest.raises(Several) as found:
        doctor_voices.voices()
    return found.value.faults


def test_a_site_without_voices_needs_nothing(settings: Any) -> None:
    settings.SPEAKER = "none"
    assert doctor_voices.voices() == "none answers a number"


def test_a_voice_that_can_speak_and_hear_is_fit() -> None:
    Voice.objects.create(name="Self-service")
    assert doctor_voices.voices() == "1; they speak by flite"


def test_a_voice_on_a_machine_without_flite_cannot_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "trouble", lambda name: (registry.NO_FLITE, registry.REMEDY))
    Voice.objects.create(name="Self-service")
    (fault,) = faults()
    assert not isinstance(fault, Careful)
    assert "apt-get install flite" in fault.remedy


def test_an_ai_agent_speaks_for_itself(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OPENAI_API_KEY = "sk-test"
    monkeypatch.setattr(registry, "trouble", lambda name: (registry.NO_FLITE, registry.REMEDY))
    Voice.objects.create(name="Agent", kind=Voice.REALTIME, language="de-DE")
    assert doctor_voices.voices().startswith("1;")


def test_an_ai_agent_needs_client_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_line, "find_spec", lambda name: None)
    Voice.objects.create(name="Agent", kind=Voice.REALTIME)
    client, key = faults()
    assert client.remedy == "Run: pip install -r requirements-openai.txt"
    assert "OPENAI_API_KEY" in key.remedy


def test_a_setting_of_an_ai_agent_that_cannot_be_is_told(settings: Any) -> None:
    settings.OPENAI_API_KEY = "sk-test"
    Voice.objects.create(name="Agent", kind=Voice.REALTIME, settings={"session_minutes": 90})
    (fault,) = faults()
    assert "session_minutes is a number from 1 to 58" in fault.text


def test_a_language_that_nobody_speaks_here_is_wrong() -> None:
    Voice.objects.create(name="Selbstbedienung", language="de-DE")
    (fault,) = faults()
    assert "Selbstbedienung is to speak de-DE" in fault.text


def test_a_voice_that_understands_keys_only_is_told(settings: Any, tmp_path: Path) -> None:
    settings.TRANSCRIBER = "none"
    settings.SPEECH_MODEL_DIR = tmp_path
    Voice.objects.create(name="Self-service")
    found = faults()
    assert [isinstance(fault, Careful) for fault in found] == [True, True]
    assert "keys" in found[0].text
