"""What of a turn is ours, worked out by hand from what the emulator and a provider would say."""

import base64
from datetime import UTC, datetime
from typing import Any

import pytest

from bench import ours
from bench.ours import Ours
from streams.engines.recording import read

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
UNIX_MS = NOON.timestamp() * 1000
PLACES = {("yes.wav", "of yes"): 400, ("menu.wav", "of the menu"): 900}


@pytest.fixture(autouse=True)
def places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_place_ms", lambda *frame: PLACES.get(frame))


def stream(*sounds: int, **starts: int) -> dict[str, Any]:
    """A stream whose time is 40 ms at noon; sound of ours came, recordings began, so much after noon."""
    played = [
        {
            "file": f"{name}.wav",
            "file_from_ms": 0,
            "stream_from_ms": at + 40,
            "from_at": datetime.fromtimestamp((UNIX_MS + at) / 1000, UTC).isoformat(),
        }
        for name, at in starts.items()
    ]
    return {"first_ms": 40, "played": played, "commands": [{"event": "media", "at_ms": at} for at in sounds]}


def turn(frame: str, came_ms: float, sent_ms: float) -> dict[str, Any]:
    return {"frame": frame, "came_ms": UNIX_MS + came_ms, "sent_ms": UNIX_MS + sent_ms}


def measured(one: dict[str, Any], *turns: dict[str, Any]) -> Ours:
    found = Ours()
    ours._measure(one, list(turns), found)
    return found


def test_ours_is_the_way_to_the_provider_and_the_way_back() -> None:
    found = measured(stream(3220, yes=2000), turn("of yes", 2405, 3205))
    assert (found.there, found.back, found.both) == ([5], [15], [20])


def test_every_recording_has_its_own_turn() -> None:
    turns = turn("of yes", 2405, 3205), turn("of the menu", 5912, 6712)
    found = measured(stream(3220, 6740, yes=2000, menu=5000), *turns)
    assert (found.there, found.back, found.unanswered) == ([5, 12], [15, 28], 0)


def test_what_is_not_answered_before_the_caller_speaks_again_is_told() -> None:
    turns = turn("of yes", 2405, 3205), turn("of the menu", 5912, 6712)
    found = measured(stream(6740, yes=2000, menu=5000), *turns)
    assert (found.back, found.unanswered) == ([28], 1)


def test_what_the_provider_did_not_take_for_speech_is_told() -> None:
    assert measured(stream(3220, yes=2000)).unanswered == 1


def test_what_ended_with_a_frame_of_another_recording_is_no_turn() -> None:
    found = measured(stream(3220, yes=2000), turn("of the menu", 2405, 3205))
    assert (found.there, found.unanswered) == ([], 1)


def test_a_frame_is_known_by_its_sound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    sound = read(ours.RECORDINGS / "say_yes.wav").channels[0]
    assert ours._place_ms("say_yes.wav", base64.b64encode(sound[3200:3360]).decode()) == 400
    assert ours._place_ms("cmd_today.wav", base64.b64encode(sound[3200:3360]).decode()) is None
