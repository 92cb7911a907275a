"""Recordings judged: what the engine hears in them, live settings, and how far that is from what was said."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from streams.audio import FRAME_BYTES, FRAME_MS
from streams.engines.base import Engine, Event, Params
from streams.engines.recording import Recording, read
from streams.scoring import Score, score, total

__all__ = ["Judged", "Reference", "hear", "judge", "reference"]

_MOST_BACKLOG = 4
_DEFAULT_NAMES = ("inbound", "outbound")


@dataclass(frozen=True, slots=True)
class Reference:
    """What a manifest says of a recording: the names of its channels, and what was said on each."""

    names: tuple[str, ...] = ()
    texts: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Judged:
    """One recording: its channels' names, the final utterances of each, and the score where it is known."""

    file: str
    duration_ms: int
    tracks: tuple[str, ...]
    utterances: tuple[tuple[str, Event], ...]
    score: Score | None

    def as_json(self) -> dict[str, Any]:
        """For machines; `words` counts those of the reference, None without one."""
        return {
            "file": self.file,
            "duration_ms": self.duration_ms,
            "tracks": list(self.tracks),
            "utterances": [
                {
                    "track": track,
                    "start_ms": event.start_ms,
                    "end_ms": event.end_ms,
                    "text": event.text,
                    "confidence": event.confidence,
                }
                for track, event in self.utterances
            ],
            "words_heard": sum(len(event.text.split()) for _, event in self.utterances),
            "words": self.score.words if self.score else None,
            "errors": self.score.errors if self.score else None,
            "word_error_rate": round(self.score.rate, 4)
            if self.score and self.score.rate is not None
            else None,
        }


def judge(path: Path, engine: Engine) -> Judged:
    """Hear one file. Raises RecordingError or OSError when it cannot be read."""
    recording, known = read(path), reference(path)
    names = _names(recording, known)
    heard = [hear(engine, ulaw, name) for ulaw, name in zip(recording.channels, names, strict=True)]
    lines = [(name, event) for name, events in zip(names, heard, strict=True) for event in events]
    lines.sort(key=lambda line: line[1].start_ms)
    return Judged(path.name, recording.duration_ms, names, tuple(lines), _score(known, heard))


def hear(engine: Engine, ulaw: bytes, track: str) -> list[Event]:
    """The final utterances of one track, fed frame by frame as fast as the engine can follow."""
    session = engine.open(Params("recording", track))
    events: list[Event] = []
    for at in range(0, len(ulaw), FRAME_BYTES):
        session.feed(ulaw[at : at + FRAME_BYTES], at // FRAME_BYTES * FRAME_MS)
        while session.backlog > _MOST_BACKLOG:
            time.sleep(0.005)
            events += session.events()
    session.close()
    while not session.finished:
        time.sleep(0.005)
        events += session.events()
    return [event for event in events if event.kind == "final"]


def reference(path: Path) -> Reference:
    """What manifest.json beside the file says of it; empty when there is none, or none of it."""
    try:
        entry = json.loads(path.with_name("manifest.json").read_bytes())["files"][path.name]
        names = tuple(str(name) for name in entry.get("channel_names") or ())
        if isinstance(entry.get("text"), str):
            return Reference(names, (entry["text"],))
        turns = entry.get("turns") or []
        said = (" ".join(turn["text"] for turn in turns if turn["track"] == name) for name in names)
        return Reference(names, tuple(said) if turns else ())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Reference()


def _names(recording: Recording, known: Reference) -> tuple[str, ...]:
    count = len(recording.channels)
    if len(known.names) == count:
        return known.names
    return tuple(_DEFAULT_NAMES[i] if i < 2 else f"channel_{i + 1}" for i in range(count))


def _score(known: Reference, heard: list[list[Event]]) -> Score | None:
    """Channel by channel; one reference for several channels is compared with all in order of time."""
    texts = [text for text in known.texts if text is not None]
    if not texts:
        return None
    if len(texts) == 1:
        heard = [sorted((event for events in heard for event in events), key=lambda event: event.start_ms)]
    if len(texts) != len(heard):
        return None
    said = [" ".join(event.text for event in events) for events in heard]
    return total(score(text, line) for text, line in zip(texts, said, strict=True))
