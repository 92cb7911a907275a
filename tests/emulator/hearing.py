"""What an outbound track must sound like, by the log and by who was connected with whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from emulator.audio import tones
from emulator.audio.mixer import mix
from emulator.audio.sound import FRAME_BYTES, FRAME_MS, SILENCE, Frame, Sound
from emulator.leg import Leg
from emulator.verbs.stream import Played as Bot
from tests.emulator.conftest import Box
from tests.emulator.witness import Witness

KNOWN = {"ringing": tones.ringback, "music": tones.music, "beep": tones.beep}


def by_the_log(box: Box, stream: dict[str, Any], frames: int) -> list[Frame]:
    """The outbound track as the log tells it: the sum of the recordings, prompts and tones of each moment."""
    voices: defaultdict[int, list[Frame]] = defaultdict(list)
    for piece in (*stream["played"], *stream["prompts"]):
        if piece["track"] != "outbound":
            continue
        first = (piece["stream_from_ms"] - stream["first_ms"]) // FRAME_MS
        skipped = piece["file_from_ms"] // FRAME_MS
        sound = _sound(box, piece)
        for at in range((piece["stream_to_ms"] - piece["stream_from_ms"]) // FRAME_MS):
            voices[first + at].append(sound[(skipped + at) % len(sound)])
    return [mix(voices[at]) if at in voices else SILENCE for at in range(frames)]


def _sound(box: Box, piece: dict[str, Any]) -> tuple[Frame, ...]:
    """A tone that is known, a recording, or a prompt: without a voice those are silence."""
    if "file" in piece:
        return box.exchange.scripts.library.sound(piece["file"], piece["channel"]).frames
    sound: Sound | None = KNOWN[piece["text"]]() if piece["text"] in KNOWN else None
    return sound.frames if sound is not None else (SILENCE,)


def by_the_witness(box: Box, witness: Witness, leg: Leg, first_tick: int, frames: int) -> dict[int, Frame]:
    """Those frames of the track in which this leg was connected with another: what the other said then."""
    heard: dict[int, Frame] = {}
    for met, other in witness.of(leg):
        assert met.end is not None
        window = range(max(met.start, first_tick), min(met.end, first_tick + frames))
        heard |= {tick - first_tick: SILENCE for tick in window}
        for piece in other.party.spoken(window.start, window.stop):
            sound = box.exchange.scripts.library.sound(piece.file, piece.channel).frames
            for tick in range(piece.start, piece.end):
                heard[tick - first_tick] = sound[piece.skipped_ms // FRAME_MS + tick - piece.start]
    return heard


def by_a_bot(leg: Leg, first_tick: int, frames: int) -> set[int]:
    """Those frames in which a server played to it, which the log does not repeat."""
    over = first_tick + frames
    return {
        tick - first_tick
        for heard in leg.ear.past
        if isinstance(heard.source, Bot)
        for tick in range(max(heard.start, first_tick), min(over if heard.end is None else heard.end, over))
    }


def the_outbound_track_is_what_was_heard(box: Box, witness: Witness, sid: str, log: Any, raw: bytes) -> int:
    """Byte for byte; returns how many frames somebody spoke in."""
    stream = box.exchange.stream(sid)
    assert stream is not None
    leg, first_tick, frames = box.exchange.legs[log["call_sid"]], stream.first_tick, len(raw) // FRAME_BYTES
    told, seen = by_the_log(box, log, frames), by_the_witness(box, witness, leg, first_tick, frames)
    bot = by_a_bot(leg, first_tick, frames)
    sent = [raw[at : at + FRAME_BYTES] for at in range(0, len(raw), FRAME_BYTES)]
    assert _different(sent, enumerate(told), bot) == []
    assert _different(sent, seen.items(), bot) == []
    return sum(frame is not SILENCE for frame in told)


def _different(sent: list[bytes], expected: Iterable[tuple[int, Frame]], but: set[int]) -> list[int]:
    return [at for at, frame in expected if at not in but and sent[at] != frame.raw]
