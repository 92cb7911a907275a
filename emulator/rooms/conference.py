"""Conferences: who is in the room, who hears whom, what the room tells of itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from emulator.audio import tones
from emulator.audio.ear import Prompt
from emulator.audio.mixer import mix
from emulator.audio.sound import SILENCE, Frame
from emulator.rooms.seat import Refused, Seat, Terms, described
from emulator.rooms.speakers import Speakers
from emulator.world import KEEP_WRITTEN, Call, rfc2822

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
    # Who was called into it and has not come yet, by CallSid, and on which terms they will sit there.
    expected: dict[str, Terms] = field(default_factory=dict)
    recordings: list[str] = field(default_factory=list)
    webhooks: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEEP_WRITTEN))
    notifications: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEEP_WRITTEN))
    _sequence: int = 0
    _beep: Prompt | None = None
    _speakers: Speakers | None = None

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.status != "completed"

    # members

    def join(self, leg: Leg, terms: Terms, callback: Callback) -> Seat:
        """Let a leg in. Raises Refused: 16025 label in use, 13240 nobody to coach, 16020 room full."""
        terms = self.expected.get(leg.call.sid, terms)
        self._check(leg, terms)
        if self.callback is None:
            self._tell_to(callback)
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

    def leave(self, seat: Seat, reason: str, *, kicked: bool = False) -> None:
        """A member goes or is sent away; the room may end with it. Harmless when it has gone."""
        if self.seats.pop(seat.leg.call.sid, None) is None:
            return
        if self._speakers is not None:
            self._speakers.leave(seat)
        seat.vacate()
        self.past.append(seat)
        self._touch()
        self.tell(
            "participant-leave",
            seat,
            ReasonParticipantLeft=reason,
            ParticipantCallStatus=seat.leg.call.status,
        )
        how = "kicked" if kicked else "left"
        if seat.terms.end_on_exit and self.status == "in-progress":
            self.end(f"participant-with-end-conference-on-exit-{how}", seat)
        elif not self.seats and not self.expected:
            self.end(f"last-participant-{how}", seat)
        elif seat.terms.beep in {"true", "onExit"}:
            self._beep = Prompt(tones.beep(), self.exchange.pacer.number + 1, "beep")

    def end(self, reason: str, by: Seat | None = None) -> None:
        """Close the room: everybody is let go."""
        if not self.live:
            return
        self.status, self.reason, self.ended_by = "completed", reason, by
        self._touch()
        called = list(self.expected)
        self.expected.clear()
        for sid in called:
            # Whoever is still being called would found a new room of the same name.
            if (leg := self.exchange.legs.get(sid)) is not None:
                leg.dismiss("the conference has ended")
        for seat in list(self.seats.values()):
            self.leave(seat, API_ENDED if reason == ENDED_BY_API else MODERATOR_ENDED)
        self.exchange.recordings.stop_all(self.recordings)
        if self._speakers is not None:
            self.exchange.pacer.remove(self._speakers)
        facts = {"ReasonConferenceEnded": reason, "Reason": REASONS.get(reason, reason)}
        if by is not None:
            facts["CallSidEndingConference"] = by.leg.call.sid
            facts["ParticipantLabelEndingConference"] = by.terms.label
        self.tell("conference-end", None, **facts)
        self.exchange.conferences.ended(self)

    def missed(self, call: Call) -> None:
        """Somebody who was called into the room does not come. Harmless when it has."""
        terms = self.expected.pop(call.sid, None)
        if terms is None:
            return
        facts = {"ReasonParticipantLeft": ADD_FAILED, "ParticipantCallStatus": call.status}
        self.tell("participant-leave", None, **described(call.sid, terms), **facts)
        if not self.seats and not self.expected and self.past:
            self.end("last-participant-left")
        self.close_unused()

    def changed(self, seat: Seat, events: Sequence[str], *, music: bool = False) -> None:
        """The terms of a member were changed; `music`: also what is played while it waits or is on hold."""
        seat.updated = self.exchange.world.clock.now()
        self._touch()
        seat.settle(again=music)
        for event in events:
            self.tell(event, seat)
        self._meet()

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

    def uses(self, label: str, but: str = "") -> bool:
        """Whether somebody here, or on the way, has this label; `but` is a CallSid that does not count."""
        sitting = [(sid, seat.terms) for sid, seat in self.seats.items()]
        return any(t.label == label and sid != but for sid, t in (*sitting, *self.expected.items()))

    def _check(self, leg: Leg, terms: Terms) -> None:
        if len(self.seats) >= terms.room:
            raise Refused(16020, "the conference is full")
        if terms.label and self.uses(terms.label, leg.call.sid):
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
        self._meet()

    def _meet(self) -> None:
        """Those who can talk to each other do, once the room has started."""
        if self.status != "in-progress":
            return
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

    def _tell_to(self, callback: Callback) -> None:
        self.callback = callback
        if callback.url and callback.wants("participant-speech-start"):
            self._speakers = Speakers(self)
            self.exchange.pacer.add(self._speakers)

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


ENDED_BY_API = "conference-ended-via-api"
# Why a member left, in Twilio's words.
API_ENDED, MODERATOR_ENDED, ADD_FAILED = (
    "conference_ended_via_api",
    "moderator_ended_conference",
    "participant_add_failed",
)
REASONS = {
    "participant-with-end-conference-on-exit-left": "Participant with EndConferenceOnExit left",
    "participant-with-end-conference-on-exit-kicked": "Participant with EndConferenceOnExit kicked",
    "last-participant-left": "Last participant left",
    "last-participant-kicked": "Last participant kicked",
    ENDED_BY_API: "Conference ended via API",
}
