"""Queues: callers wait in order; somebody takes the one in front, or a caller leaves."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from emulator.twiml import Step

if TYPE_CHECKING:
    from emulator.exchange import Exchange
    from emulator.leg import Leg

DEFAULT_SIZE = 1000
MAX_SIZE = 5000
MAX_NAME = 64
KEEP_WAITS = 100


@dataclass(eq=False)
class Member:
    """A waiting caller. `taken` is set with `by`, the leg that takes it, or `step`, the TwiML to follow."""

    queue: Queue
    leg: Leg
    entered: datetime
    began_s: float
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    by: Leg | None = None
    step: Step | None = None
    before: Step | None = None
    bridged: asyncio.Event = field(default_factory=asyncio.Event)
    given_up: asyncio.Event = field(default_factory=asyncio.Event)
    waited_s: int = 0

    @property
    def position(self) -> int:
        """1 for the front; 0 for one who has left."""
        return self.queue.members.index(self) + 1 if self in self.queue.members else 0

    def waited(self, now_s: float) -> int:
        """Whole seconds since it came."""
        # A sum of seconds is a hair short of the whole one.
        return int(now_s - self.began_s + 0.001)


@dataclass(eq=False)
class Queue:
    """One queue; `max_size` callers at most."""

    sid: str
    friendly_name: str
    region: str
    created: datetime
    updated: datetime
    max_size: int = DEFAULT_SIZE
    members: list[Member] = field(default_factory=list)
    waits_s: list[int] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def average_wait(self) -> int:
        """Seconds that the last callers waited on average."""
        return sum(self.waits_s) // len(self.waits_s) if self.waits_s else 0

    def enter(self, leg: Leg) -> Member | None:
        """A caller waits at the end; None when the queue is full."""
        if len(self.members) >= self.max_size:
            return None
        clock = leg.exchange.world.clock
        member = Member(self, leg, clock.now(), clock.seconds())
        self.members.append(member)
        self.updated = clock.now()
        self.arrived.set()
        self.arrived = asyncio.Event()
        return member

    def leave(self, member: Member) -> None:
        """It waits no longer; harmless when it has gone."""
        if member in self.members:
            self.members.remove(member)
            clock = member.leg.exchange.world.clock
            member.waited_s = member.waited(clock.seconds())
            self.waits_s = [*self.waits_s[1 - KEEP_WAITS :], member.waited_s]
            self.updated = clock.now()

    def take(self, by: Leg, before: Step | None) -> Member | None:
        """Give the front caller to this leg; `before` is played to it first. None when nobody waits."""
        if not self.members:
            return None
        member = self.members[0]
        self.leave(member)
        member.by, member.before = by, before
        member.taken.set()
        return member

    def redirect(self, member: Member, step: Step) -> None:
        """Let a caller go on with other TwiML."""
        self.leave(member)
        member.step = step
        member.taken.set()

    def member(self, call_sid: str) -> Member | None:
        """The caller with this id, or the one in front by the name `Front`."""
        if call_sid == "Front":
            return self.members[0] if self.members else None
        return next((member for member in self.members if member.leg.call.sid == call_sid), None)


class Queues:
    """All queues; a name is one queue per region."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.by_sid: dict[str, Queue] = {}

    def make(self, name: str, region: str, max_size: int = DEFAULT_SIZE) -> Queue:
        """A new queue."""
        world = self._exchange.world
        now = world.clock.now()
        queue = Queue(world.sid("QU"), name, region, now, now, max_size)
        self.by_sid[queue.sid] = queue
        return queue

    def named(self, name: str, region: str) -> Queue | None:
        """The queue of this name, or with this id."""
        return next((q for q in self.in_region(region) if name in {q.friendly_name, q.sid}), None)

    def in_region(self, region: str) -> list[Queue]:
        """All queues of a region, oldest first."""
        return [queue for queue in self.by_sid.values() if queue.region == region]
