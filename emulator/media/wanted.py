"""What a media stream is asked to be, and whose sound it carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, Protocol

from emulator.media.outlet import Sound
from emulator.world import Call


class Source(Sound, Protocol):
    """The leg whose sound a stream carries."""

    call: Call


@dataclass(frozen=True)
class Wanted:
    """What TwiML or REST asked for."""

    url: str
    name: str = ""
    tracks: tuple[str, ...] = ("inbound",)
    parameters: dict[str, str] = field(default_factory=dict)
    callback: str = ""
    callback_method: str = "POST"
    direction: Literal["unidirectional", "bidirectional"] = "unidirectional"
    made_by: Literal["twiml", "rest"] = "twiml"
