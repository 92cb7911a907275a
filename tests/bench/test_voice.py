"""Turns and interruptions of a voice, worked out by hand from what the emulator's log would say."""

from typing import Any

import pytest

from bench import voice
from bench.voice import Measured

SPEECH = {"menu.wav": (100, 900), "yes.wav": (60, 400)}


@pytest.fixture(autouse=True)
def speech(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "_speech", SPEECH.__getitem__)


def command(event: str, at_ms: int, **facts: Any) -> dict[str, Any]:
    return {"event": event, "at_ms": at_ms, "played_ms": 0, **facts}


def stream(*commands: dict[str, Any], **starts: int) -> dict[str, Any]:
    """A stream whose time begins at 40 ms; the recordings are played at these times of it."""
    played = [{"file": f"{name}.wav", "stream_from_ms": at, "file_from_ms": 0} for name, at in starts.items()]
    return {"first_ms": 40, "last_ms": 20_000, "played": played, "commands": list(commands)}


def measured(one: dict[str, Any]) -> Measured:
    found = Measured()
    voice._measure(one, found)
    return found


def test_a_turn_is_from_the_end_of_speech_to_the_first_sound_of_the_answer() -> None:
    found = measured(stream(command("media", 1000), command("media", 5360), yes=4000))
    assert (found.turns, found.clears, found.unanswered) == ([1000], [], 0)


def test_an_interruption_is_from_the_first_speech_to_the_clear() -> None:
    said = [
        command("media", 1000),
        command("mark", 1000),
        command("clear", 2240),
        command("mark-returned", 2240),
    ]
    found = measured(stream(*said, command("media", 3660), menu=2000))
    assert (found.turns, found.clears) == ([800], [180])


def test_who_speaks_when_nothing_of_ours_plays_interrupts_nothing() -> None:
    said = [
        command("media", 500),
        command("mark", 500),
        command("mark-returned", 900),
        command("clear", 2500),
    ]
    found = measured(stream(*said, command("media", 3660), menu=2000))
    assert (found.turns, found.clears) == ([800], [])


def test_what_we_say_on_over_the_caller_is_no_answer() -> None:
    found = measured(stream(command("media", 1900), command("mark", 1900), command("media", 3000), menu=2000))
    assert (found.turns, found.unanswered) == ([], 0)


def test_an_answer_comes_before_the_caller_speaks_again() -> None:
    found = measured(stream(command("media", 9360), menu=2000, yes=8000))
    assert (found.turns, found.unanswered) == ([1000], 1)
