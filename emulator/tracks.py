"""The tracks of one stream: how their messages are numbered, and exactly what was sent of each."""

from __future__ import annotations

import hashlib

from emulator import messages
from emulator.sound import Frame

# Ten minutes of a track are kept, where audio is kept at all.
KEPT_BYTES = 10 * 60 * 8000


class Track:
    """One track. `chunk` counts its messages; `frames`, `size` (bytes) and `digest` what was sent.

    `kept` holds the bytes themselves where somebody keeps them (see `emulator.kept`).
    """

    __slots__ = ("_hash", "chunk", "frames", "inbound", "kept", "name", "sheet", "size")

    def __init__(self, name: str, sid: str) -> None:
        self.name = name
        self.inbound = name == "inbound"
        self.sheet = messages.media(sid, name)
        self.chunk = 0
        self.frames = 0
        self.size = 0
        self.kept: bytearray | None = None
        self._hash = hashlib.sha256()

    def sent(self, frame: Frame) -> None:
        """Count a frame that was written to the socket, in the order of writing."""
        raw = frame.raw
        self.frames += 1
        self.size += len(raw)
        self._hash.update(raw)
        if self.kept is not None and len(self.kept) < KEPT_BYTES:
            self.kept += raw

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of all mu-law bytes sent, in the order sent."""
        return self._hash.hexdigest()

    @property
    def cut(self) -> bool:
        """Whether more was sent than is kept."""
        return self.kept is not None and self.size > len(self.kept)
