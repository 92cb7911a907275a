"""Conferences: who is in the room, who hears whom, what the room tells of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from emulator import tones
from emulator.ear import Prompt
from emulator.mixer import mix
from emulator.seat import Refused, Seat, Terms
from emulator.sound import SILENCE, Frame
from emulator.world import rfc2822

if TYPE_CHECKING:
    from emulator.exchange import Exchange
    from emulator.leg import Leg

# What `statusCallbackEvent` may ask for, and the events that it brings.
TOPICS = {
    "start": {"conference-start"},
    "end": {"conference-end"},
    "join": {"participant-join"},
    "leave": {"participant-leave"},
    "mute": {"participant-mute", "participant-unmute"},
    "hold": {"participant-hold", "participant-unhold"},
    "modify": {"participant-modify"},
    "speaker": {"participant-speech-start", "participant-speech-stop"},
    "announcement": {"announcement-end", "announcement-fail"},
}
DEFAULT_TOPICS = frozenset({"start", "end"})
KEEP_ENDED = 1000


@dataclass(frozen=True)
class Callback:
    """Where a conference tells its events; fixed by its first member."""

    url: str = ""
    method: str = "POST"
    topics: frozenset[str] = DEFAULT_TOPICS

    def wants(self, event: str) -> bool:
        """Whether it was asked to tell this event."""
        return any(event in TOPICS.get(topic, ()) for topic in self.topics)


@dataclass(eq=False)
class Conference:
    """One room. It starts with the second member, one of whom lets it start, and ends with the last."""

    exchange: Exchange
    sid: str
    friendly_name: str
    region: str
    created: datetime
    updated: datetime
    callback: Callback | None = None
    status: Literal["init", "in-progress", "completed"] = "init"
    reason: str = ""
    ended_by: Seat | None = None
    seats: dict[str, Seat] = field(default_factory=dict)
    past: list[Seat] = field(default_factory=list)
    expected: dict[str, str] = field(default_factory=dict)
    recordings: list[str] = field(default_factory=list)
    webhooks: list[dict[str, Any]] = field(default_factory=list)
    notifications: list[dict[str, Any]] = field(default_factory=list)
    _sequence: int = 0
    _beep: Prompt | None = None

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.status != "completed"

    # members

    def join(self, leg: Leg, terms: Terms, callback: Callback) -> Seat:
        """Let a leg in. Raises Refused: 16025 label in use, 13240 nobody to coach, 13227 room full."""
        self._check(leg, terms)
        if self.callback is None:
            self.callback = callback
        seat = Seat(self, leg, terms)
        self.expected.pop(leg.call.sid, None)
        self.seats[leg.call.sid] = seat
        self._touch()
        self.tell("participant-join", seat)
        if terms.beep in {"true", "onEnter"} and len(self.seats) > 1:
            self._beep = Prompt(tones.beep(), self.exchange.pacer.number + 1, "beep")
        self._start_if_ready(seat)
        seat.settle()
        return seat

    def leave(self, seat: Seat, reason: str) -> None:
        """A member goes; the room may end with it. Harmless when it has gone."""
        if self.seats.pop(seat.leg.call.sid, None) is None:
            return
        seat.vacate()
        self.past.append(seat)
        self._touch()
        self.tell(
            "participant-leave",
            seat,
            ReasonParticipantLeft=reason,
            ParticipantCallStatus=seat.leg.call.status,
        )
        if seat.terms.end_on_exit and self.status == "in-progress":
            self.end("participant-with-end-conference-on-exit-left", seat)
        elif not self.seats and not self.expected:
            self.end("last-participant-left", seat)
        elif seat.terms.beep in {"true", "onExit"}:
            self._beep = Prompt(tones.beep(), self.exchange.pacer.number + 1, "beep")

    def end(self, reason: str, by: Seat | None = None) -> None:
        """Close the room: everybody is let go."""
        if not self.live:
            return
        self.status, self.reason, self.ended_by = "completed", reason, by
        self._touch()
        for seat in list(self.seats.values()):
            self.leave(seat, "conference_ended")
        self.exchange.recordings.stop_all(self.recordings)
        facts = {"ReasonConferenceEnded": reason, "Reason": REASONS.get(reason, reason)}
        if by is not None:
            facts["CallSidEndingConference"] = by.leg.call.sid
            facts["ParticipantLabelEndingConference"] = by.terms.label
        self.tell("conference-end", None, **facts)
        self.exchange.conferences.ended(self)

    def close_unused(self) -> None:
        """A room that nobody could enter and nobody is on the way to never was."""
        if not self.seats and not self.past and not self.expected:
            self.status = "completed"
            self.exchange.conferences.by_sid.pop(self.sid, None)

    def member(self, call_sid_or_label: str) -> Seat | None:
        """Who sits here under this call or label."""
        seat = self.seats.get(call_sid_or_label)
        if seat is None and call_sid_or_label:
            seat = next((s for s in self.seats.values() if s.terms.label == call_sid_or_label), None)
        return seat

    def _check(self, leg: Leg, terms: Terms) -> None:
        if len(self.seats) >= terms.room:
            raise Refused(16022, "the conference is full")
        if terms.label and self.member(terms.label) is not None:
            raise Refused(16025, f"the label {terms.label!r} is in use in this conference")
        if terms.coach and terms.coach not in self.seats:
            raise Refused(13240, "the call to coach is not in this conference")

    def _start_if_ready(self, newest: Seat) -> None:
        if self.status == "init" and len(self.seats) > 1:
            if not any(seat.terms.start_on_enter for seat in self.seats.values()):
                return
            self.status = "in-progress"
            self.tell("conference-start", newest)
            for seat in self.seats.values():
                seat.settle()
        if self.status == "in-progress":
            self._meet()

    def _meet(self) -> None:
        """Those who can talk to each other do."""
        talking = [seat for seat in self.seats.values() if seat.talks]
        if len(talking) < 2:
            return
        self.exchange.meet(*(seat.leg for seat in talking))
        for seat in talking:
            if not seat.met:
                seat.met = True
                seat.leg.party.notice("connected")

    # sound

    def sound_for(self, ear: Seat, tick: int) -> Frame:
        """What this member hears of the others."""
        if self.status != "in-progress":
            return SILENCE
        voices = [seat.leg.says(tick) for seat in self._heard_by(ear)]
        if self._beep is not None:
            voices.append(self._beep.frame(tick))
        return mix(voices)

    def frame(self, tick: int) -> Frame:
        """All who talk to the room, as a recording of it hears them."""
        if self.status != "in-progress":
            return SILENCE
        return mix(s.leg.says(tick) for s in self.seats.values() if s.talks)

    def _heard_by(self, ear: Seat) -> Iterator[Seat]:
        for seat in self.seats.values():
            if seat is not ear and seat.audible_to(ear):
                yield seat

    # callbacks

    def tell(self, event: str, seat: Seat | None, **facts: str) -> None:
        """Send one event, if it was asked for; each that happens has its number."""
        self._sequence += 1
        if self.callback is None or not self.callback.url or not self.callback.wants(event):
            return
        form = {
            "AccountSid": self.exchange.world.account.sid,
            "ConferenceSid": self.sid,
            "FriendlyName": self.friendly_name,
            "SequenceNumber": str(self._sequence),
            "Timestamp": str(rfc2822(self.exchange.world.clock.now())),
            "StatusCallbackEvent": event,
            **(seat.form() if seat is not None else {}),
            **facts,
        }
        self.exchange.courier.tell(self, event, self.callback.url, self.callback.method, form)

    def note(self, code: int, message: str, now: datetime) -> None:
        """Write what Twilio's debugger would show of it."""
        self.notifications.append({"code": code, "message": message, "at": now.isoformat()})

    def _touch(self) -> None:
        self.updated = self.exchange.world.clock.now()


REASONS = {
    "participant-with-end-conference-on-exit-left": "Participant with EndConferenceOnExit left",
    "last-participant-left": "Last participant left",
    "conference-ended-via-api": "Conference ended via API",
}


class Conferences:
    """All rooms; a name is one live room per region."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.by_sid: dict[str, Conference] = {}
        self._ended: list[str] = []

    def room(self, name: str, region: str) -> Conference:
        """The live room of this name, made when there is none."""
        found = self.find(name, region, live=True)
        if found is not None:
            return found
        world = self._exchange.world
        now = world.clock.now()
        made = Conference(self._exchange, world.sid("CF"), name, region, now, now)
        self.by_sid[made.sid] = made
        return made

    def find(self, sid_or_name: str, region: str, *, live: bool = False) -> Conference | None:
        """The room with this id, or the live one with this name."""
        found = self.by_sid.get(sid_or_name)
        if found is not None and found.region == region:
            return found if found.live or not live else None
        return next((c for c in self.in_region(region) if c.live and c.friendly_name == sid_or_name), None)

    def in_region(self, region: str) -> list[Conference]:
        """All rooms of a region, oldest first."""
        return [conference for conference in self.by_sid.values() if conference.region == region]

    def ended(self, conference: Conference) -> None:
        """Keep the memory of ended rooms bounded."""
        self._exchange.courier.forget(conference.sid)
        self._ended.append(conference.sid)
        while len(self._ended) > KEEP_ENDED:
            self.by_sid.pop(self._ended.pop(0), None)
