"""Recordings, where the number records and the consent was played: a stereo WAV from a stream's journal."""

import hashlib
import logging
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from calls.models import Leg
from streams.audio import RATE, level
from streams.journal import INBOUND, OUTBOUND, SENT, Reader
from streams.models import Recording, Stream
from streams.stereo import HEADER_BYTES, LEFT, RIGHT, Stereo, header

__all__ = ["Heard", "delete", "listen", "make", "sweep"]

_TRACKS = {INBOUND: "inbound", OUTBOUND: "outbound", SENT: "outbound"}  # a voice is the other side
SPEECH_DBFS = -45.0  # louder than the noise of a line, softer than any voice
_BLOCK = 1 << 20
_BEING_MADE = timedelta(minutes=1)
_log = logging.getLogger("contactcenter.media")


@dataclass
class Heard:
    """How long each track was louder than a line's noise, in ms."""

    sound_ms: dict[str, int] = field(default_factory=lambda: {"inbound": 0, "outbound": 0})

    def add(self, track: str, ulaw: bytes) -> None:
        """Take one frame."""
        if level(ulaw).rms_dbfs > SPEECH_DBFS:
            self.sound_ms[track] += len(ulaw) * 1000 // RATE


def listen(journal: Path) -> Heard:
    """Read a journal for its figures alone."""
    heard = Heard()
    for kind, _, ulaw in _sound(journal):
        heard.add(_TRACKS[kind], ulaw)
    return heard


def make(*, stream: Stream, journal: Path) -> Recording:
    """The stream's recording, caller left; mode 0600. Made once: a second call gives the first one's row."""
    made = Recording.objects.filter(stream=stream).first()
    if made is not None:
        return made
    settings.RECORDINGS_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = settings.RECORDINGS_DIR / f"{stream.sid}.wav"
    samples, heard = _write(path, journal, caller_is_inbound=stream.leg.kind == Leg.Kind.CALLER)
    return Recording.objects.create(
        stream=stream,
        file=path.name,
        sha256=_digest(path),
        ms=samples * 1000 // RATE,
        bytes=path.stat().st_size,
        degraded=heard < stream.bytes,
    )


def delete(*, recordings: Iterable[Recording]) -> int:
    """Delete the files and then the rows; how many. For retention and erasure."""
    number = 0
    for recording in recordings:
        (settings.RECORDINGS_DIR / Path(recording.file).name).unlink(missing_ok=True)
        recording.delete()
        number += 1
    return number


def sweep(*, now: datetime) -> int:
    """Delete files whose row is gone (a call was erased) or never came (we were stopped); how many."""
    if not settings.RECORDINGS_DIR.is_dir():
        return 0
    oldest = (now - _BEING_MADE).timestamp()
    files = {path.name: path for path in settings.RECORDINGS_DIR.iterdir() if path.stat().st_mtime < oldest}
    kept = set(Recording.objects.filter(file__in=files).values_list("file", flat=True))
    for name in files.keys() - kept:
        files[name].unlink(missing_ok=True)
        _log.info("recording.deleted", extra={"file": name})
    return len(files.keys() - kept)


def _write(path: Path, journal: Path, *, caller_is_inbound: bool) -> tuple[int, int]:
    """Under another name first, so that a recording is whole or not there; samples a side, bytes received."""
    sides = (LEFT, RIGHT) if caller_is_inbound else (RIGHT, LEFT)
    side_of = dict(zip(("inbound", "outbound"), sides, strict=True))
    fresh = path.with_suffix(".new")
    stereo, heard = Stereo(), 0
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    with fresh.open("r+b") as file:
        file.seek(HEADER_BYTES)
        for kind, at_ms, ulaw in _sound(journal):
            heard += len(ulaw) if kind != SENT else 0
            stereo.place(side_of[_TRACKS[kind]], at_ms, ulaw)
            file.write(stereo.settled())
        file.write(stereo.rest())
        file.seek(0)
        file.write(header(stereo.samples))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return stereo.samples, heard


def _sound(journal: Path) -> Iterable[tuple[int, int, bytes]]:
    """(kind, ms, mu-law) of every frame of a journal."""
    with Reader(journal) as reader:
        while records := reader.read():
            for record in records:
                if record.kind in _TRACKS:
                    yield record.kind, record.timestamp_ms, record.payload


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
