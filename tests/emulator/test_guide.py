"""docs/emulator.md says what exists."""

from dataclasses import fields
from pathlib import Path

import pytest

from emulator.faults import Faults
from emulator.run import VERBS
from emulator.scripts import Part, Script, shipped

GUIDE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("switch", [field.name for field in fields(Faults)])
def test_every_fault_is_described(switch: str) -> None:
    assert f"`{switch}" in GUIDE


@pytest.mark.parametrize("key", [field.name for field in (*fields(Script), *fields(Part))])
def test_every_key_of_a_script_is_described(key: str) -> None:
    assert key in GUIDE


@pytest.mark.parametrize("verb", sorted(VERBS))
def test_every_verb_is_described(verb: str) -> None:
    assert verb in GUIDE


def test_a_shipped_script_is_the_example() -> None:
    assert shipped().by_name["room_booking"].caller.name in GUIDE
