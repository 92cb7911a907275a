"""Voices of one's own in the demo: a voice and a number for each, and the line by which a caller rings it."""

import json
from types import SimpleNamespace

import pytest

from calls.models import PhoneNumber, Voice
from contactcenter import demo, seeding
from emulator.audio.sound import Library
from emulator.people.script_files import RECORDINGS, read

pytestmark = pytest.mark.django_db
OWN = {"pizza": "pizza:Pizza", "loud": "bots.loud:Parrot", "low": "bots.low:Parrot"}


def test_a_voice_is_called_as_its_class_is(settings) -> None:
    settings.VOICES = OWN
    seeding.world(agents=1)
    names = dict(Voice.objects.filter(kind__in=OWN).values_list("kind", "name"))
    assert names == {"pizza": "Pizza", "loud": "Parrot (loud)", "low": "Parrot (low)"}
    assert PhoneNumber.objects.get(voice__kind="pizza").label == "Pizza"


def test_the_line_that_rings_it_is_a_script_of_two_turns(settings) -> None:
    settings.VOICES = {"pizza": "pizza:Pizza"}
    told: list[str] = []
    demo._tell_voices(SimpleNamespace(say=told.append, emulator_url="http://127.0.0.1:9"))  # type: ignore[arg-type]
    assert told[0].startswith("Your voice pizza answers +442079460110.")
    body = json.loads(told[1].split("-d ")[1].strip("'"))
    assert body["to"] == "+442079460110"
    script = read({"name": "own", **body["script"]}, Library(RECORDINGS))
    assert [act.say for act in script.caller.does if act.say] == ["hello there", "yes please"]
