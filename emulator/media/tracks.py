"""The tracks of one stream: how their messages are numbered, and exactly what was sent of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from emulator.audio.sound import FRAME_BYTES, Frame
from emulator.media import messages

# Ten minutes of a track are kept, where audio is kept at all.
KEPT_BYTES = 10 * 60 * 8000


class Track:
    """One track. `chunk` counts its messages; `frames` and `digest` tell what was sent.

    `kept` holds the bytes themselves where somebody keeps them (see `emulator.media.kept`).
    """

    __slots__ = ("_hash", "_kept", "chunk", "frames", "name", "sheet", "update")

    def __init__(self, name: str, sid: str) -> None:
        self.name = name
        self.sheet = messages.media(sid, name)
        self.chunk = 0
        self.frames = 0
        self._kept: bytearray | None = None
        self._hash = hashlib.sha256()
        # What takes the bytes of each frame sent: the hash, and whoever keeps the sound.
        self.update: Callable[[bytes], None] = self._hash.update

    def sent(self, frame: Frame) -> None:
        """Count a frame that was written to the socket, in the order of writing."""
        self.frames += 1
        self.update(frame.raw)

    def keep(self) -> None:
        """Keep the bytes that are sent from now on, too."""
        self._kept = bytearray()
        self.update = self._hash_and_keep

    def drop(self) -> None:
        """Keep them no longer."""
        self._kept = None
        self.update = self._hash.update

    @property
    def kept(self) -> bytes | None:
        """The bytes sent, as far as they are kept; None where nobody keeps them."""
        return None if self._kept is None else bytes(self._kept)

    @property
    def digest(self) -> str:
        """SHA-256, in hex, of all mu-law bytes sent, in the order sent."""
        return self._hash.hexdigest()

    @property
    def cut(self) -> bool:
        """Whether more was sent than is kept."""
        return self._kept is not None and self.frames * FRAME_BYTES > len(self._kept)

    def _hash_and_keep(self, raw: bytes) -> None:
        self._hash.update(raw)
        if self._kept is not None and len(self._kept) < KEPT_BYTES:
            self._kept += raw
