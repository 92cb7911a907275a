"""The steps of a caller's path, as plain data; calls.twiml writes each as verbs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = [
    "Ask",
    "Connect",
    "Dial",
    "End",
    "Go",
    "Leave",
    "Listen",
    "Meet",
    "Record",
    "Say",
    "Step",
    "StopTaps",
    "Wait",
]


@dataclass(frozen=True)
class Say:
    """A sentence: of the number's owner (`own`), in the number's language, or one of ours, in English."""

    text: str
    own: bool = False


@dataclass(frozen=True)
class Dial:
    """Connect the caller with a telephone."""

    target: str
    caller_id: str


@dataclass(frozen=True)
class Listen:
    """Nobody is dialled: the call lives as long as it is streamed. `again` after the first round."""

    again: bool = False


@dataclass(frozen=True)
class Connect:
    """Talk with a voice over a bidirectional stream: its address with the nonce, its name and parameters.

    What is behind it in the document follows when the stream is over.
    """

    url: str
    name: str
    status_callback: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wait:
    """Wait in Twilio's queue of this name until somebody fetches the caller."""

    name: str


@dataclass(frozen=True)
class Meet:
    """Meet an agent in the conference of this name."""

    name: str


@dataclass(frozen=True)
class Record:
    """Leave a message after the tone, of at most so many seconds."""

    seconds: int = 180


@dataclass(frozen=True)
class StopTaps:
    """Stop the streams of these names."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class Ask:
    """Ask for a code, or a date of eight keys, by keys or by speech."""

    prompt: Say
    keys: int = 0  # how many end it; 0: the hash key does


@dataclass(frozen=True)
class Leave:
    """Leave the queue; its `action` then asks for the plan."""


@dataclass(frozen=True)
class Go:
    """Ask at once for what the plan says next, after so many seconds."""

    after: int = 0


@dataclass(frozen=True)
class End:
    """Say something, perhaps, and hang up."""

    text: str = ""


Step = Say | Dial | Listen | Connect | Wait | Meet | Record | StopTaps | Ask | Leave | Go | End
