"""Spoken sound as files, one for each text: headless mu-law, named by a hash, bounded in bytes.

Several processes may share a directory: a file is there whole or not at all. Blocking; for a thread.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

__all__ = ["SUFFIX", "Store", "key"]

SUFFIX = ".ulaw"


def key(voice: str, text: str) -> str:
    """What a text's sound is called: the same for the same words of the same voice."""
    return hashlib.sha256(f"{voice}\0{text}".encode()).hexdigest()


class Store:
    """A directory of sound. `most_bytes` bounds it: the file that was longest unused goes first."""

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self._directory = directory
        self._most_bytes = most_bytes

    def get(self, name: str) -> bytes:
        """The sound kept under a key; b"" if there is none."""
        path = self._directory / f"{name}{SUFFIX}"
        try:
            found = path.read_bytes()
        except OSError:
            return b""
        with contextlib.suppress(OSError):  # a directory that may only be read, such as the shipped one
            os.utime(path)
        return found

    def put(self, name: str, sound: bytes) -> None:
        """Keep sound, mode 0600. Raises OSError, as on a full disk; nothing half-written stays then."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self._directory / f".{name}.{os.urandom(4).hex()}.new"
        try:
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(sound)
            fresh.replace(self._directory / f"{name}{SUFFIX}")
        finally:
            fresh.unlink(missing_ok=True)
        self._prune()

    def _prune(self) -> None:
        """Down to the bound; what a killed process left half-written counts, and goes, like the rest."""
        found = []
        for path in self._directory.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process prunes too
                state = path.stat()
                found.append((state.st_mtime_ns, state.st_size, path))
        total = sum(size for _, size, _ in found)
        for _, size, path in sorted(found):
            if total <= self._most_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size
