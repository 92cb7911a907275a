"""Journals and words files as a media process and an engine leave them."""

from pathlib import Path
from typing import Any

from streams import wordfile
from streams.journal import INBOUND, OUTBOUND, Writer

LOUD = bytes([0x80, 0x00] * 80)  # full scale, up and down
SILENT = b"\xff" * 160


def journal(
    directory: Path, sid: str, *, words: bool = True, frames: int = 50, sound: bytes = SILENT
) -> Writer:
    """A journal of two tracks that its process still holds."""
    head: dict[str, Any] = {"call": "CA" + "1" * 32, "tracks": ["inbound", "outbound"], "words": words}
    writer = Writer.create(directory, sid, head)
    for frame in range(frames):
        writer.append(INBOUND, 20 * frame, 2 * frame + 2, sound)
        writer.append(OUTBOUND, 20 * frame, 2 * frame + 3, SILENT)
    return writer


def lines(path: Path, *texts: str, done: bool = False) -> None:
    """What an engine heard on the inbound track, a final line a second, and whether that is all."""
    with wordfile.Writer(wordfile.words_path(path)) as writer:
        for number, text in enumerate(texts, start=1):
            writer.write(final(number, text))
        if done:
            writer.write({"kind": "done"})


def final(number: int, text: str, *, track: str = "inbound") -> wordfile.Line:
    """One final line, at `number` seconds."""
    return {
        "kind": "final",
        "track": track,
        "number": number,
        "start_ms": 1000 * number,
        "end_ms": 1000 * number + 800,
        "text": text,
        "confidence": 0.9,
        "words": [],
        "offset": 0,
    }
