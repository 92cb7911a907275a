"""Recordings: tapes that run with a leg or a conference, and the files that come of them."""

from __future__ import annotations

import audioop
import io
import wave
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from emulator.audio.mixer import mix
from emulator.audio.sound import RATE, SILENCE, Frame
from emulator.leg import Leg
from emulator.world import rfc2822
from streams.audio import ulaw_to_pcm

if TYPE_CHECKING:
    from emulator.exchange import Exchange
    from emulator.rooms.conference import Conference

# All tapes together; the oldest finished ones lose their sound first.
MAX_BYTES = 256 << 20
KEEP_FINISHED = 2000
EVENTS = frozenset({"in-progress", "completed", "absent"})

Tap = Callable[[int], Frame]


@dataclass(frozen=True)
class Order:
    """What was asked for: `channels` 1 or 2, which `track`, who is told of it."""

    channels: int = 1
    track: Literal["inbound", "outbound", "both"] = "both"
    source: str = "StartCallRecordingAPI"
    callback: str = ""
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(eq=False)
class Recording:
    """One recording: `tapes` hold mu-law, one per channel, of equal length."""

    exchange: Exchange
    sid: str
    order: Order
    region: str
    created: datetime
    updated: datetime
    owner: Leg | Conference
    taps: tuple[Tap, ...]
    status: str = "in-progress"
    skip: bool = False
    tapes: list[bytearray] = field(default_factory=list)
    taken: int = 0
    kept: bool = True

    def __post_init__(self) -> None:
        self.tapes = [bytearray() for _ in self.taps]

    @property
    def live(self) -> bool:
        """Whether it still runs or is paused."""
        return self.status in {"in-progress", "paused"}

    @property
    def call_sid(self) -> str:
        """The call that it is of, "" for a conference's."""
        return self.owner.call.sid if isinstance(self.owner, Leg) else ""

    @property
    def conference_sid(self) -> str:
        """The conference that it is of, "" for a call's."""
        return "" if isinstance(self.owner, Leg) else self.owner.sid

    def seconds(self) -> int:
        """Its length in whole seconds."""
        return round(self.taken / RATE)

    def tick(self, number: int) -> None:
        """Take 20 ms of each channel; a pause is skipped or filled with silence, as was asked."""
        if self.status == "paused" and self.skip:
            return
        for tape, tap in zip(self.tapes, self.taps, strict=True):
            tape += SILENCE.raw if self.status == "paused" else tap(number).raw
        self.taken += len(SILENCE.raw)

    def pause(self, behavior: str) -> None:
        """Stop taking sound for now: `skip` leaves the time out, `silence` fills it."""
        self.status, self.skip = "paused", behavior != "silence"
        self._touch()

    def resume(self) -> None:
        """Take sound again."""
        self.status = "in-progress"
        self._touch()

    def stop(self) -> None:
        """End it: a file, or `absent` when nothing was taken. Harmless when it has ended."""
        if not self.live:
            return
        self.exchange.pacer.remove(self)
        self.status = "completed" if self.taken else "absent"
        self._touch()
        self.tell()
        self.exchange.recordings.trim()

    def wav(self) -> bytes:
        """The file: 16-bit PCM at 8 kHz, one or two channels."""
        pcm = [ulaw_to_pcm(bytes(tape)) for tape in self.tapes]
        data = pcm[0]
        if len(pcm) == 2:
            data = audioop.add(audioop.tostereo(pcm[0], 2, 1, 0), audioop.tostereo(pcm[1], 2, 0, 1), 2)
        file = io.BytesIO()
        with wave.open(file, "wb") as out:
            out.setnchannels(len(pcm))
            out.setsampwidth(2)
            out.setframerate(RATE)
            out.writeframes(data)
        return file.getvalue()

    def drop(self) -> None:
        """Lose the sound."""
        self.kept = False
        self.tapes = [bytearray() for _ in self.tapes]

    def uri(self) -> str:
        """Its address at the REST API, without an ending."""
        return f"/2010-04-01/Accounts/{self.exchange.world.account.sid}/Recordings/{self.sid}"

    def url(self) -> str:
        """Its whole address."""
        return self.exchange.url(self.region) + self.uri()

    def tell(self) -> None:
        """Send its status, if that was asked for."""
        order = self.order
        if not order.callback or self.status not in order.events:
            return
        form = {
            "AccountSid": self.exchange.world.account.sid,
            "RecordingSid": self.sid,
            "RecordingUrl": self.url(),
            "RecordingStatus": self.status,
            "RecordingDuration": str(self.seconds()),
            "RecordingChannels": str(order.channels),
            "RecordingStartTime": str(rfc2822(self.created)),
            "RecordingSource": order.source,
            "RecordingTrack": order.track,
        }
        form |= {"ConferenceSid": self.conference_sid} if self.conference_sid else {"CallSid": self.call_sid}
        told = self.owner.call if isinstance(self.owner, Leg) else self.owner
        self.exchange.courier.tell(told, f"recording-{self.status}", order.callback, order.method, form)

    def _touch(self) -> None:
        self.updated = self.exchange.world.clock.now()


class Recordings:
    """All recordings, oldest first."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.by_sid: dict[str, Recording] = {}

    def of_leg(self, leg: Leg, order: Order) -> Recording:
        """Record a leg until it ends. With two channels the party is the first, what it hears the second."""
        taps: dict[str, Tap] = {"inbound": leg.says, "outbound": leg.hears}
        if order.track != "both":
            chosen: tuple[Tap, ...] = (taps[order.track],)
        elif order.channels == 2:
            chosen = (leg.says, leg.hears)
        else:
            chosen = (lambda tick: mix((leg.says(tick), leg.hears(tick))),)
        made = self._start(leg, order, chosen, leg.call.region)
        leg.endings.append(made.stop)
        return made

    def of_conference(self, conference: Conference, order: Order) -> Recording:
        """Record all who talk in a room until it ends."""
        made = self._start(conference, order, (conference.frame,), conference.region)
        conference.recordings.append(made.sid)
        return made

    def stop_all(self, sids: list[str]) -> None:
        """Stop these."""
        for sid in sids:
            if (recording := self.by_sid.get(sid)) is not None:
                recording.stop()

    def find(self, sid: str, region: str) -> Recording | None:
        """The recording with this id."""
        found = self.by_sid.get(sid)
        return found if found is not None and found.region == region else None

    def in_region(self, region: str) -> list[Recording]:
        """All of a region, oldest first."""
        return [recording for recording in self.by_sid.values() if recording.region == region]

    def delete(self, recording: Recording) -> None:
        """Forget its sound; that it was is remembered as long as other old ones are."""
        recording.stop()
        recording.status = "deleted"
        recording.updated = self._exchange.world.clock.now()
        recording.drop()

    def trim(self) -> None:
        """Keep all tapes together bounded: the oldest finished ones lose their sound, the very old go."""
        finished = [sid for sid, recording in self.by_sid.items() if not recording.live]
        for sid in finished[:-KEEP_FINISHED]:
            del self.by_sid[sid]
        total = sum(len(tape) for recording in self.by_sid.values() for tape in recording.tapes)
        for recording in self.by_sid.values():
            if total <= MAX_BYTES:
                break
            if not recording.live and recording.kept:
                total -= sum(map(len, recording.tapes))
                recording.drop()

    def _start(self, owner: Leg | Conference, order: Order, taps: tuple[Tap, ...], region: str) -> Recording:
        world = self._exchange.world
        now = world.clock.now()
        sid = owner.call.new_sid("RE") if isinstance(owner, Leg) else world.sid("RE")
        made = Recording(self._exchange, sid, order, region, now, now, owner, taps)
        self.by_sid[made.sid] = made
        self._exchange.pacer.add(made)
        made.tell()
        return made
