"""docs/emulator.md says what exists."""

from dataclasses import fields
from pathlib import Path

import pytest
from msgspec import structs

from emulator.faults import Faults
from emulator.people.script_files import shipped
from emulator.people.scripts import EVENTS, Act, Part, Script
from emulator.run import VERBS

GUIDE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("switch", [field.name for field in fields(Faults)])
def test_every_fault_is_described(switch: str) -> None:
    assert f"`{switch}" in GUIDE


@pytest.mark.parametrize("key", [f.name for of in (Script, Part, Act) for f in structs.fields(of)])
def test_every_key_of_a_script_is_described(key: str) -> None:
    assert key in GUIDE


@pytest.mark.parametrize("event", sorted(EVENTS))
def test_every_event_that_people_wait_for_is_described(event: str) -> None:
    assert f"`{event}`" in GUIDE


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_is_described(verb: str) -> None:
    assert verb in GUIDE


def test_a_shipped_script_is_the_example() -> None:
    assert shipped().by_name["room_booking"].caller.name in GUIDE
