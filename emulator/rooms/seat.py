"""One member of a conference: on which terms it sits there, what it hears, what it is told while it waits."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from emulator.audio import tones
from emulator.audio.ear import Prompt, Spoken
from emulator.audio.sound import Frame
from emulator.twiml import Step

if TYPE_CHECKING:
    from emulator.leg import Leg
    from emulator.rooms.conference import Conference

MAX_ROOM = 250
# The only verbs of a document that plays to somebody who waits or is on hold (Twilio error 13238).
WAIT_VERBS = frozenset({"Say", "Play", "Pause", "Redirect"})


class Refused(Exception):
    """A leg that may not join; `code` is Twilio's error."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass
class Terms:
    """How a member takes part. `wait` None is the usual music; with neither url nor TwiML in it: silence."""

    label: str = ""
    muted: bool = False
    hold: bool = False
    coach: str = ""
    coaching: bool = False
    start_on_enter: bool = True
    end_on_exit: bool = False
    beep: str = "true"
    wait: Step | None = None
    hold_music: Step | None = None
    room: int = MAX_ROOM


class History:
    """A value over time: what it was in which ticks."""

    def __init__(self) -> None:
        self._changes: list[tuple[int, str]] = []

    def set(self, tick: int, value: str) -> None:
        """It has this value from `tick` on."""
        if not self._changes or self._changes[-1][1] != value:
            self._changes.append((tick, value))

    def during(self, start: int, end: int) -> Iterator[tuple[str, int, int]]:
        """Each value in the ticks [start, end) and when it held."""
        ends = [tick for tick, _ in self._changes[1:]] + [end]
        for (begun, value), over in zip(self._changes, ends, strict=True):
            first, last = max(start, begun), min(end, over)
            if first < last:
                yield value, first, last


ALL, NOBODY = "all", ""


class Seat:
    """A member; `over` is set when it has left. What it hears is the sum of those who may speak to it."""

    def __init__(self, conference: Conference, leg: Leg, terms: Terms) -> None:
        self.conference = conference
        self.leg = leg
        self.terms = terms
        self.over = asyncio.Event()
        self.joined = self.updated = conference.exchange.world.clock.now()
        self.met = False
        # To whom it speaks (all, nobody, one call) and whether it hears, by tick.
        self._speaks_to = History()
        self._hears = History()
        self._waiting_for = ""
        self._playing: asyncio.Task[None] | None = None
        self._music: Prompt | None = None
        leg.ear.begin(self)

    @property
    def talks(self) -> bool:
        """Whether the room hears it."""
        return not (self.terms.muted or self.terms.hold or self.terms.coaching)

    def audible_to(self, ear: Seat) -> bool:
        """Whether this member is heard by that one: a coach is heard by the coached alone."""
        if self.terms.muted or self.terms.hold or ear.terms.hold:
            return False
        return not self.terms.coaching or self.terms.coach == ear.leg.call.sid

    # as a source of the leg's ear

    def frame(self, tick: int) -> Frame:
        return self.conference.sound_for(self, tick)

    def spoken(self, start: int, end: int) -> list[Spoken]:
        return [s for leg, first, last in self._heard(start, end) for s in leg.party.spoken(first, last)]

    def words(self, start: int, end: int) -> list[str]:
        return [w for leg, first, last in self._heard(start, end) for w in leg.party.words(first, last)]

    def _heard(self, start: int, end: int) -> Iterator[tuple[Leg, int, int]]:
        """Whom it heard in the ticks [start, end), and when."""
        others = [*self.conference.past, *self.conference.seats.values()]
        for hears, begun, over in self._hears.during(start, end):
            for seat in others:
                if seat is self or hears != ALL:
                    continue
                for to, first, last in seat._speaks_to.during(begun, over):
                    if to in {ALL, self.leg.call.sid}:
                        yield seat.leg, first, last

    def _remember(self) -> None:
        tick = self.conference.exchange.pacer.number + 1
        here = self.conference.status == "in-progress" and not self.over.is_set()
        speaks = here and not (self.terms.muted or self.terms.hold)
        self._speaks_to.set(tick, (self.terms.coach if self.terms.coaching else ALL) if speaks else NOBODY)
        self._hears.set(tick, ALL if here and not self.terms.hold else NOBODY)

    # waiting

    def settle(self, *, again: bool = False) -> None:
        """Play to it what fits its state: music before the start and on hold, otherwise nothing.

        `again`: from the beginning, for what is played has changed.
        """
        if self.over.is_set():
            return
        self._remember()
        state = "hold" if self.terms.hold else "wait" if self.conference.status == "init" else ""
        before = self._waiting_for
        if state == before and not (again and state):
            return
        if before == "hold" and state != "hold":
            self.leg.party.notice("resumed")
        self._waiting_for = state
        self._be_quiet()
        if state == "hold" and before != "hold":
            self.leg.party.notice("hold")
        if state:
            self._play(self.terms.hold_music if state == "hold" else self.terms.wait)

    def vacate(self) -> None:
        """It has left."""
        self.over.set()
        self._remember()
        self._be_quiet()
        self.leg.ear.end(self)

    def _play(self, step: Step | None) -> None:
        if step is None:
            self._music = Prompt(tones.music(), self.leg.exchange.pacer.number + 1, "music", again=True)
            self.leg.ear.begin(self._music)
        elif step.url or step.twiml:
            fields = {"ConferenceSid": self.conference.sid, "FriendlyName": self.conference.friendly_name}
            told = Step(step.url, step.method, step.twiml, {**step.fields, **fields})
            loop = self.leg.exchange.loop(self.leg, told, WAIT_VERBS)
            self._playing = asyncio.get_running_loop().create_task(loop)

    def _be_quiet(self) -> None:
        if self._playing is not None:
            self._playing.cancel()
            self._playing = None
        if self._music is not None:
            self.leg.ear.end(self._music)
            self._music = None

    # callbacks

    def form(self) -> dict[str, str]:
        """What every callback says of a member."""
        return described(self.leg.call.sid, self.terms)


def described(call_sid: str, terms: Terms) -> dict[str, str]:
    """A member, or one who is expected, as callbacks describe it."""
    form = {
        "CallSid": call_sid,
        "Muted": str(terms.muted).lower(),
        "Hold": str(terms.hold).lower(),
        "Coaching": str(terms.coaching).lower(),
        "EndConferenceOnExit": str(terms.end_on_exit).lower(),
        "StartConferenceOnEnter": str(terms.start_on_enter).lower(),
    }
    if terms.label:
        form["ParticipantLabel"] = terms.label
    if terms.coaching:
        form["CallSidToCoach"] = terms.coach
    return form
