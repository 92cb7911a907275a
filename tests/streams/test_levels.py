"""Loudness of a tick, as browsers get it."""

import json

import pytest

from streams.audio import pcm_to_ulaw
from streams.levels import Levels
from tests.streams.test_audio import tone
from tests.streams.wire import OTHER, SID

AT = "2026-05-04T10:00:00.100Z"


def shown(levels: Levels) -> dict[str, dict[str, float | None]]:
    text = levels.drain(AT)
    assert text is not None
    message = json.loads(text)
    assert (message["type"], message["at"]) == ("levels", AT)
    streams: dict[str, dict[str, float | None]] = message["levels"]
    return streams


def frames(ulaw: bytes) -> list[bytes]:
    return [ulaw[at : at + 160] for at in range(0, len(ulaw), 160)]


def test_a_tone_at_20_below_full_scale_shows_as_that():
    levels = Levels()
    for frame in frames(pcm_to_ulaw(tone(-20, ms=100))):
        levels.add(SID, "inbound", frame)
    streams = shown(levels)
    assert streams[SID]["inbound"] == pytest.approx(-20, abs=0.5)
    assert streams[SID]["outbound"] is None


def test_the_level_is_over_all_frames_of_the_tick():
    levels = Levels()
    loud = frames(pcm_to_ulaw(tone(-20, ms=20)))
    levels.add(SID, "inbound", loud[0])
    levels.add(SID, "inbound", b"\xff" * 160)
    assert shown(levels)[SID]["inbound"] == pytest.approx(-23, abs=0.5)  # half the energy


def test_a_tick_without_frames_is_null_and_with_silence_the_floor():
    levels = Levels()
    levels.add(SID, "outbound", b"\xff" * 160)
    assert shown(levels)[SID] == {"inbound": None, "outbound": -96.0}
    assert shown(levels)[SID] == {"inbound": None, "outbound": None}


def test_every_open_stream_is_told_and_a_closed_one_is_not():
    levels = Levels()
    levels.open(SID)
    levels.add(OTHER, "inbound", b"\xff" * 160)
    assert set(shown(levels)) == {SID, OTHER}
    levels.close(SID)
    levels.close(SID)
    assert set(shown(levels)) == {OTHER}


def test_without_streams_there_is_nothing_to_tell():
    assert Levels().drain(AT) is None


def test_the_peak_stands_beside_it():
    levels = Levels()
    levels.add(SID, "inbound", b"\x80" + b"\xff" * 159)
    levels.drain(AT)
    value = levels.latest[SID]["inbound"]
    assert value is not None
    assert value.peak_dbfs == pytest.approx(-0.2, abs=0.1)
    assert value.rms_dbfs < -20


def test_without_ticks_only_the_newest_sound_is_kept():
    levels = Levels()
    for _ in range(10_000):
        levels.add(SID, "inbound", b"\x80" * 160)
    for _ in range(50):
        levels.add(SID, "inbound", b"\xff" * 160)
    assert shown(levels)[SID]["inbound"] == -96.0


def test_a_message_of_any_length_is_taken():
    levels = Levels()
    levels.add(SID, "inbound", b"\x80" * 49_000)
    levels.add(SID, "inbound", b"")
    levels.add(SID, "outbound", b"\x80")
    streams = shown(levels)[SID]
    assert streams["inbound"] == streams["outbound"] == pytest.approx(-0.2, abs=0.1)
