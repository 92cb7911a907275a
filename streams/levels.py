"""Loudness of all streams of a process, between two ticks. Pure: the caller says what time it is."""

from collections import deque
from typing import Any, Final

import msgspec

from streams.audio import RATE, Level, level

__all__ = ["TRACKS", "Levels", "encode"]

TRACKS: Final = ("inbound", "outbound")
KEPT_FRAMES: Final = 50
KEPT_BYTES: Final = RATE  # of one message: a second
_DECIMALS = 1


class Levels:
    """Gathers the sound of a tick. `latest` holds the last tick's RMS and peak of every stream and track."""

    def __init__(self) -> None:
        self.latest: dict[str, dict[str, Level | None]] = {}
        self._heard: dict[str, dict[str, deque[bytes]]] = {}

    def open(self, stream_sid: str) -> None:
        """From now on the stream is told of, with null while nothing comes. `add` does it too."""
        self._heard.setdefault(stream_sid, {track: deque(maxlen=KEPT_FRAMES) for track in TRACKS})

    def close(self, stream_sid: str) -> None:
        """The stream ended. May be repeated."""
        self._heard.pop(stream_sid, None)
        self.latest.pop(stream_sid, None)

    def add(self, stream_sid: str, track: str, ulaw: bytes) -> None:
        """Take a frame of "inbound" or "outbound". Without ticks the newest second or so is kept."""
        try:
            self._heard[stream_sid][track].append(ulaw)
        except KeyError:
            self.open(stream_sid)
            self._heard[stream_sid][track].append(ulaw)

    def drain(self, at: str = "") -> str | None:
        """The tick's message for browsers (`encode`), and begin anew; None without streams."""
        if not self._heard:
            return None
        self.latest = {
            stream_sid: {track: _loudness(frames) for track, frames in tracks.items()}
            for stream_sid, tracks in self._heard.items()
        }
        return encode(self.latest, at)


def encode(levels: dict[str, dict[str, Level | None]], at: str) -> str:
    """`{"type": "levels", "at": …, "levels": {StreamSid: {track: dBFS or null}}}`; no `at` when ""."""
    shown = {
        stream_sid: {track: value and round(value.rms_dbfs, _DECIMALS) for track, value in tracks.items()}
        for stream_sid, tracks in levels.items()
    }
    message: dict[str, Any] = {"type": "levels", "at": at, "levels": shown}
    if not at:
        del message["at"]
    return msgspec.json.encode(message).decode()


def _loudness(frames: deque[bytes]) -> Level | None:
    """Over all that came in the tick; null when nothing did."""
    if not frames:
        return None
    sound = b"".join(frames)
    frames.clear()
    return level(sound[-KEPT_BYTES:])
