"""What a request says of recordings: which channels and track, and who is told of them."""

from __future__ import annotations

from typing import Literal, cast

from emulator.rest.forms import Form
from emulator.rooms.recording import EVENTS, Order

CHANNELS = {"mono": 1, "dual": 2}
TRACKS = frozenset({"inbound", "outbound", "both"})
TRIMS = frozenset({"trim-silence", "do-not-trim"})
BAD_CALLBACK = 21502

ORDER_FIELDS = (
    "RecordingStatusCallback",
    "RecordingStatusCallbackMethod",
    "RecordingStatusCallbackEvent",
    "RecordingChannels",
    "RecordingTrack",
    "RecordingConfigurationId",
    "Trim",
)


def order(given: Form, source: str) -> Order:
    """The recording that is asked for. Raises RestError 21502 for a bad callback, 20001."""
    given.choice("Trim", TRIMS)
    track = given.choice("RecordingTrack", TRACKS) or "both"
    asked = frozenset(given.words("RecordingStatusCallbackEvent")) or frozenset({"completed"})
    return Order(
        channels=CHANNELS[given.choice("RecordingChannels", CHANNELS) or "mono"],
        track=cast(Literal["inbound", "outbound", "both"], track),
        source=source,
        callback=given.callback("RecordingStatusCallback", BAD_CALLBACK),
        method=given.method("RecordingStatusCallbackMethod"),
        events=asked & EVENTS,
    )
