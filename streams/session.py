"""What may follow what on one media stream, and who is wrong. Pure: messages in, happenings out.

    waiting ──connected──▶ connected ──start──▶ streaming ──stop──▶ stopped
       └───────────────────start──────────────────▲  │ ▲
                                                      └─┘ media · dtmf, mark (bidirectional)

Everything else raises ProtocolError: `order` (media before start, a second connected or start, anything after
stop), `wrong_stream`, `unknown_track`, `unexpected` (dtmf or mark on a unidirectional stream), `bad_format`.
The session stays as it was and may be used on; whether to go on is the caller's to say. A `start` without
`connected` is let pass. Unknown events are counted. Sequence numbers and chunks are watched, not obeyed:
order of arrival and `timestamp` decide, and chunks may be counted for each track or for both together, since
Twilio does not say which.

We may send on a bidirectional stream alone, between start and stop (Twilio error 31924 otherwise).
"""

from typing import Any, Final, Literal

from streams.audio import RATE
from streams.clock import LATE, Clock
from streams.happenings import (
    Closed,
    Counters,
    Dropped,
    Frame,
    Gap,
    Greeted,
    Happening,
    Key,
    Marked,
    Opened,
)
from streams.protocol import (
    Connected,
    Dtmf,
    FromTwilio,
    Mark,
    Media,
    ProtocolError,
    Start,
    Stop,
    ToTwilio,
    Unknown,
    encode,
)

__all__ = [
    "Closed",
    "Counters",
    "Direction",
    "Dropped",
    "Frame",
    "Gap",
    "Greeted",
    "Happening",
    "Key",
    "Marked",
    "Opened",
    "SendNotAllowed",
    "Session",
]

Direction = Literal["unidirectional", "bidirectional"]
State = Literal["waiting", "connected", "streaming", "stopped"]
TRACKS: Final = ("inbound", "outbound")
MAX_GAPS: Final = 1000
"""Gaps told one by one for each stream; the time of later ones is counted only."""


class SendNotAllowed(Exception):
    """We were about to break the protocol: the mistake is ours."""


class _Track:
    """One track: its clock and its last chunk."""

    __slots__ = ("chunk", "clock")

    def __init__(self) -> None:
        self.clock = Clock()
        self.chunk = 0


class Session:
    """One stream, from its first message to its last."""

    def __init__(self, direction: Direction = "unidirectional") -> None:
        self.direction: Direction = direction
        self.state: State = "waiting"
        self.start: Start | None = None
        self.stream_sid = ""
        self._counters = Counters()
        self._tracks: dict[str, _Track] = {}
        self._sequence = 0
        self._chunk = 0
        self._chunk_breaks = [0, 0]  # if counted for each track, if for both together
        self._gaps: list[Gap] = []
        self._gaps_told = 0
        self._paused_at: dict[str, int] = {}

    def receive(self, message: FromTwilio) -> list[Happening]:
        """What this message means, in order. Raises ProtocolError, counted, and stays as it was."""
        try:
            if type(message) is Media:
                return self._media(message)
            return self._other(message)
        except ProtocolError as error:
            self._counters.count(error)
            raise

    def send(self, message: ToTwilio) -> str:
        """The text to send. Raises SendNotAllowed on a unidirectional, unstarted, stopped or other stream."""
        if self.direction != "bidirectional":
            raise SendNotAllowed("nothing may be sent on a unidirectional stream (Twilio error 31924)")
        if self.state != "streaming":
            raise SendNotAllowed(f"the stream is {self.state}")
        if message.streamSid != self.stream_sid:
            raise SendNotAllowed("streamSid of another stream (Twilio error 31951)")
        return encode(message)

    def count(self, error: ProtocolError) -> None:
        """Count an error that was found before the message reached the session."""
        self._counters.count(error)

    @property
    def tracks(self) -> list[str]:
        """The tracks that `start` announced and we know; [] before it."""
        return list(self._tracks)

    @property
    def counters(self) -> Counters:
        """The figures, up to date."""
        counters = self._counters
        clocks = [track.clock for track in self._tracks.values()]
        counters.lost_ms = sum(clock.lost_ms for clock in clocks)
        counters.last_ms = max((clock.end_ms for clock in clocks), default=0)
        counters.restarts = sum(clock.restarts for clock in clocks)
        counters.chunk_breaks = min(self._chunk_breaks)
        return counters

    @property
    def position_ms(self) -> int:
        """Where the stream is: the end of its latest sound."""
        return max((track.clock.end_ms for track in self._tracks.values()), default=0)

    @property
    def numbering(self) -> Literal["", "track", "shared"]:
        """How chunks are counted; "" while both would fit."""
        each, together = self._chunk_breaks
        if each == together:
            return ""
        return "track" if each < together else "shared"

    def take_gaps(self) -> list[Gap]:
        """The gaps that nothing can fill any more, each once; all of them after `stop` or `finish`."""
        self._gather_gaps()
        gaps, self._gaps = self._gaps, []
        return gaps

    def finish(self) -> None:
        """No more messages come, with or without `stop`. May be repeated."""
        self.state = "stopped"
        for track in self._tracks.values():
            track.clock.finish()

    def pause(self) -> None:
        """From here to `resume` nothing is kept."""
        self._paused_at = {name: track.clock.end_ms for name, track in self._tracks.items()}

    def resume(self) -> list[Gap]:
        """What was not kept since `pause`, for the journal; `take_gaps` tells it too."""
        since, self._paused_at = self._paused_at, {}
        gaps = [
            Gap(name, at_ms, self._tracks[name].clock.end_ms - at_ms, "paused")
            for name, at_ms in since.items()
            if self._tracks[name].clock.end_ms > at_ms
        ]
        self._gaps.extend(gaps)
        return gaps

    def _gather_gaps(self) -> None:
        for name, track in self._tracks.items():
            for hole in track.clock.take_settled():
                if hole.ms > 0 and self._gaps_told < MAX_GAPS:
                    self._gaps.append(Gap(name, hole.at_ms, hole.ms))
                    self._gaps_told += 1

    def _media(self, message: Media) -> list[Happening]:
        if self.state != "streaming":
            raise ProtocolError("order", "media after stop" if self.start else "media before start")
        if message.streamSid != self.stream_sid:
            raise ProtocolError("wrong_stream", "media")
        body = message.media
        track = self._tracks.get(body.track)
        if track is None:
            raise ProtocolError("unknown_track", "media")
        sequence = message.sequenceNumber
        if sequence == self._sequence + 1:
            self._sequence = sequence
        else:
            self._out_of_sequence(sequence)
        if body.chunk != track.chunk + 1:
            self._chunk_breaks[0] += 1
        if body.chunk != self._chunk + 1:
            self._chunk_breaks[1] += 1
        self._chunk = track.chunk = body.chunk
        return self._place(track.clock, body.track, body.timestamp, sequence, body.payload)

    def _place(
        self, clock: Clock, track: str, timestamp_ms: int, sequence: int, payload: bytes
    ) -> list[Happening]:
        counters = self._counters
        size = len(payload)
        if size == 0:
            counters.empty += 1
            return []
        at_ms = clock.place(timestamp_ms, size, sequence)
        if at_ms < 0:
            return [self._drop(track, at_ms)]
        counters.frames += 1
        counters.bytes += size
        frame = Frame(track, at_ms, sequence, payload)
        hole = clock.hole
        return [frame] if hole is None else [Gap(track, hole.at_ms, hole.ms), frame]

    def _drop(self, track: str, verdict: int) -> Dropped:
        if verdict == LATE:
            self._counters.late += 1
            return Dropped(track, "late")
        self._counters.doubled += 1
        return Dropped(track, "doubled")

    def _out_of_sequence(self, sequence: int) -> None:
        missing = sequence - self._sequence - 1
        if missing > 0:
            self._counters.sequence_gaps += 1
            self._counters.sequence_missing += missing
            self._sequence = sequence
        elif missing < 0:
            self._counters.sequence_behind += 1
        else:
            self._sequence = sequence

    def _other(self, message: Any) -> list[Happening]:
        if isinstance(message, Unknown):
            self._counters.unknown_events += 1
            return []
        if isinstance(message, Connected):
            return self._connected()
        if isinstance(message, Start):
            return self._start(message)
        return self._during(message)

    def _connected(self) -> list[Happening]:
        if self.state != "waiting":
            raise ProtocolError("order", "connected again")
        self.state = "connected"
        return [Greeted()]

    def _start(self, message: Start) -> list[Happening]:
        if self.start is not None:
            raise ProtocolError("order", "start again")
        body = message.start
        if message.streamSid != body.streamSid:
            raise ProtocolError("wrong_stream", "start names two streams")
        sound = body.mediaFormat
        if (sound.encoding, sound.sampleRate, sound.channels) != ("audio/x-mulaw", RATE, 1):
            raise ProtocolError("bad_format", "not 8 kHz mono mu-law")
        tracks: dict[str, _Track] = {name: _Track() for name in TRACKS if name in body.tracks}
        if not tracks:
            raise ProtocolError("bad_field", "start: no known track")
        self._tracks = tracks
        self.start = message
        self.stream_sid = message.streamSid
        self._sequence = message.sequenceNumber
        self.state = "streaming"
        return [Opened(message)]

    def _during(self, message: Dtmf | Mark | Stop) -> list[Happening]:
        if self.state != "streaming":
            raise ProtocolError("order", "after stop" if self.start else "before start")
        if message.streamSid != self.stream_sid:
            raise ProtocolError("wrong_stream", type(message).__name__.lower())
        if message.sequenceNumber != self._sequence:
            self._out_of_sequence(message.sequenceNumber)
        if isinstance(message, Stop):
            self.finish()
            return [Closed()]
        if self.direction == "unidirectional":
            raise ProtocolError("unexpected", type(message).__name__.lower())
        self._counters.signs += 1
        if isinstance(message, Dtmf):
            return [Key(message.dtmf.digit, self.position_ms, message.sequenceNumber)]
        return [Marked(message.mark.name, self.position_ms, message.sequenceNumber)]
