"""The shelf on which the audio that was sent is kept, where that was asked for: bounded, oldest out first."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from emulator.media.tracks import Track

KEPT_STREAMS = 50


class Shelf:
    """Keeps the sound of the last fifty streams, ten minutes of each track."""

    def __init__(self) -> None:
        self._streams: deque[list[Track]] = deque()

    def keep(self, tracks: Iterable[Track]) -> None:
        """Keep what is sent on these from now on; of too many streams the oldest loses its sound."""
        kept = list(tracks)
        for track in kept:
            track.keep()
        self._streams.append(kept)
        if len(self._streams) > KEPT_STREAMS:
            for track in self._streams.popleft():
                track.drop()
