"""What messages of a media stream mean, as `streams.session` says it, and the figures of a stream. Pure."""

from typing import Literal

from msgspec import Struct, field

from streams.protocol import ProtocolError, Start

__all__ = [
    "Closed",
    "Counters",
    "Dropped",
    "Frame",
    "Gap",
    "Greeted",
    "Happening",
    "Key",
    "Marked",
    "Opened",
]


class Greeted(Struct, gc=False):
    """`connected` came."""


class Opened(Struct):
    """`start` came."""

    start: Start


class Frame(Struct, gc=False):
    """Sound to keep: `at_ms` is where it belongs in the stream's time."""

    track: str
    at_ms: int
    sequence: int
    payload: bytes


class Gap(Struct, gc=False):
    """Missing time of one track, in ms of the stream."""

    track: str
    at_ms: int
    ms: int
    cause: str = "lost"


class Dropped(Struct, gc=False):
    """Sound not kept: its time is past or written already."""

    track: str
    why: Literal["late", "doubled"]


class Key(Struct, gc=False):
    """The caller pressed a key."""

    digit: str
    at_ms: int
    sequence: int


class Marked(Struct, gc=False):
    """A mark of ours came back: played, or discarded by a clear."""

    name: str
    at_ms: int
    sequence: int


class Closed(Struct, gc=False):
    """`stop` came."""


Happening = Greeted | Opened | Frame | Gap | Dropped | Key | Marked | Closed


class Counters(Struct):
    """What a stream has carried; nothing ever goes down but `lost_ms`, when a late frame fills a gap."""

    frames: int = 0
    bytes: int = 0
    lost_ms: int = 0
    last_ms: int = 0
    late: int = 0
    doubled: int = 0
    empty: int = 0
    restarts: int = 0
    unknown_events: int = 0
    signs: int = 0  # keys and marks
    sequence_gaps: int = 0
    sequence_missing: int = 0
    sequence_behind: int = 0
    chunk_breaks: int = 0
    errors: int = 0
    errors_by_code: dict[str, int] = field(default_factory=dict)

    def count(self, error: ProtocolError) -> None:
        """Count a protocol error, and by its code."""
        self.errors += 1
        self.errors_by_code[error.code] = self.errors_by_code.get(error.code, 0) + 1
