"""The telephone exchange: places calls, keeps the legs, wires clock, webhooks, sound and people together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import aiohttp

from emulator.account import HOME
from emulator.audio.speech import Voice
from emulator.faults import Switchboard
from emulator.ledger import Ledger
from emulator.leg import Leg
from emulator.luck import Luck
from emulator.media.kept import Shelf
from emulator.media.socket import MediaStream
from emulator.pacing import Pacer
from emulator.people.loopback import Dialled
from emulator.people.party import Conversation, Party, Person, Stage
from emulator.people.scripts import Script, Scripts
from emulator.phone.softphone import Softphones
from emulator.rooms.conferences import Conferences
from emulator.rooms.queue import Queues
from emulator.rooms.recording import Recordings
from emulator.tally import Tally
from emulator.twiml import Step
from emulator.waiting import first
from emulator.webhooks.courier import Courier
from emulator.webhooks.progress import Callbacks, Fallback
from emulator.world import Application, Call, Number, World

Program = Callable[[Leg, Step, bool], Coroutine[Any, Any, None]]
Loop = Callable[..., Coroutine[Any, Any, None]]
Answered = Callable[[Leg], Coroutine[Any, Any, dict[str, str]]]


class Exchange:
    """One running emulator without its HTTP doors.

    `run(leg, step, ends)` plays a leg's TwiML; with `ends` the call ends when the TwiML does.
    `loop(leg, step, allowed, fields)` plays TwiML to somebody who waits, again and again.
    """

    def __init__(
        self,
        world: World,
        scripts: Scripts,
        http: aiohttp.ClientSession,
        run: Program,
        loop: Loop,
        voice: Voice | None = None,
        shelf: Shelf | None = None,
    ) -> None:
        self.world = world
        self.scripts = scripts
        self.voice = voice or Voice()
        self.faults = Switchboard()
        self.luck = Luck(world.seed)
        self.tally = Tally()
        self.courier = Courier(world, self.faults, self.luck, http)
        self.pacer = Pacer(world.clock)
        self.run = run
        self.loop = loop
        self.legs: dict[str, Leg] = {}
        self.conferences = Conferences(self)
        self.queues = Queues(self)
        self.recordings = Recordings(self)
        self.softphones = Softphones(self)
        self.ledger = Ledger()
        # Where each region is served, for the addresses that are given out.
        self.urls = {HOME: "https://api.twilio.com"}
        self.people: dict[str, str | Script] = {}
        self.closing = False
        self.shelf = shelf

    def url(self, region: str) -> str:
        """The address of a region's REST API."""
        return self.urls.get(region, self.urls[HOME])

    # calls

    def incoming(
        self,
        from_: str,
        to: str,
        *,
        script: str | Script | None = None,
        caller_name: str = "",
        params: dict[str, str] | None = None,
        party: Party | None = None,
        hops: int = 0,
    ) -> Leg:
        """Somebody calls a number of the account. Raises ScriptError for an unknown script."""
        number = self.world.number(to)
        asked = self.world.addresses(number)
        caller = party or self._conversation(script).caller
        played = caller.conversation.script if caller.conversation is not None else None
        name = played.caller.name if played is not None and asked.voice_caller_id_lookup else ""
        call = self.world.new_call(
            from_,
            to,
            "inbound",
            number_sid=number.sid,
            region=number.voice_region,
            caller_name=caller_name or name,
            script=played.name if played is not None else "",
            extra={**(params or {}), **_application(asked)},
            hops=hops,
        )
        return self._arrive(call, caller, asked)

    def to_application(self, application: Application, from_: str, party: Party, hops: int) -> Leg:
        """A leg that was dialled to a TwiML application arrives there as a call of its own."""
        call = self.world.new_call(
            from_,
            f"app:{application.sid}",
            "inbound",
            region=application.region,
            extra=_application(application),
            hops=hops,
        )
        return self._arrive(call, party, application)

    def _arrive(self, call: Call, caller: Party, asked: Number | Application) -> Leg:
        leg = self._leg(
            call,
            caller,
            Callbacks(asked.status_callback, asked.status_callback_method),
            Fallback(asked.voice_fallback_url, asked.voice_fallback_method),
        )
        leg.ring()
        leg.follow(Step(asked.voice_url, asked.voice_method))
        return leg

    def outgoing(
        self,
        call: Call,
        callbacks: Callbacks,
        fallback: Fallback,
        step: Step,
        patience: float = 60.0,
        answered: Answered | None = None,
    ) -> Leg:
        """The REST API calls somebody: ring, answer, then follow `step`.

        `patience` seconds are waited for an answer; `answered` does what is due then, and says which fields
        the request for TwiML has for it.
        """
        party = self._party(call.to, None)
        call.script = party.conversation.script.name if party.conversation is not None else ""
        leg = self._leg(call, party, callbacks, fallback)
        call.become("queued", self.world.clock.now())
        self.courier.spawn(self._ring_out(leg, step, patience, answered))
        return leg

    def child(self, parent: Leg, from_: str, to: str, callbacks: Callbacks) -> Leg:
        """A leg that <Dial> makes; a scripted party is the callee of the parent's script."""
        call = self.world.new_call(
            from_,
            to,
            "outbound-dial",
            parent_sid=parent.call.sid,
            region=parent.call.region,
            script=parent.call.script,
            hops=parent.call.hops,
        )
        call.become("queued", self.world.clock.now())
        leg = self._leg(call, self._party(to, parent.party), callbacks, parent.fallback)
        leg.progress.announce("initiated")
        return leg

    def from_browser(
        self, party: Party, call: Call, step: Step, callbacks: Callbacks, fallback: Fallback
    ) -> Leg:
        """A softphone calls: its TwiML application says what happens."""
        leg = self._leg(call, party, callbacks, fallback)
        leg.ring()
        leg.follow(step)
        return leg

    def leg(self, sid: str, region: str) -> Leg | None:
        """The leg with this id, ended ones too; each region knows only its own."""
        leg = self.legs.get(sid)
        return leg if leg is not None and leg.call.region == region else None

    def ended(self, leg: Leg) -> None:
        """Keep the memory of ended calls bounded."""
        for sid in self.world.forget_old(leg.call.sid):
            if (gone := self.legs.pop(sid, None)) is not None:
                self.tally.add(gone)
            self.courier.forget(sid)

    def stream(self, sid: str) -> MediaStream | None:
        """Any stream by its id, ended ones too."""
        for leg in self.legs.values():
            for stream in leg.streams:
                if stream.sid == sid:
                    return stream
        return None

    async def close(self) -> None:
        """Let go of everything at once: the emulator ends, the calls do not end in order."""
        self.closing = True
        for leg in list(self.legs.values()):
            for stream in leg.streams:
                stream.close()
            await leg.settle_program()
        await self.courier.close()

    async def _ring_out(self, leg: Leg, step: Step, patience: float, answered: Answered | None) -> None:
        leg.progress.announce("initiated")
        calling = asyncio.ensure_future(leg.party.called(leg))
        try:
            await first(leg.answered.wait(), leg.over.wait(), self.world.clock.sleep(patience))
        finally:
            calling.cancel()
        if not leg.answered.is_set():
            leg.finish("no-answer", "not answered in time")
        if leg.answered.is_set():
            fields = await answered(leg) if answered is not None else {}
            # It may have been sent elsewhere while keys were pressed.
            if leg.call.live and not leg.followed:
                leg.follow(replace(step, fields={**step.fields, **fields}))

    # people

    def meet(self, *legs: Leg) -> None:
        """These legs hear each other: their conversations begin, with the roles that a script gives them.

        Whoever meets a scripted caller and has no part of its own to play becomes the callee of that script.
        """
        scripted = [leg for leg in legs if isinstance(leg.party, Person)]
        scripted.sort(key=lambda leg: (leg.call.direction != "inbound", leg.call.to.startswith("client:")))
        for number, leg in enumerate(scripted):
            own = leg.party.conversation
            if own is None or leg.party is not own.caller:
                continue
            for other in scripted[number + 1 :]:
                if isinstance(other.party, Person) and own.callee.free and other.party.replaceable:
                    other.take_over(own.callee)
        for leg in legs:
            if leg.party.conversation is not None:
                leg.party.conversation.begin()

    def _party(self, to: str, parent: Party | None) -> Party:
        """Who answers at `to`: a browser, whom a test put there, our own number, the script's other half."""
        if (phone := self.softphones.party(to)) is not None:
            return phone
        if to in self.people:
            return self._conversation(self.people[to]).callee
        if to in self.world.numbers:
            return Dialled(self)
        if (application := self.world.applications.get(to.removeprefix("app:"))) is not None:
            return Dialled(self, application)
        if parent is not None and parent.conversation is not None:
            return parent.conversation.callee
        if to.startswith(("client:", "app:")):
            return Conversation(IDLE, self._stage()).callee
        return self._conversation(None).caller

    def _conversation(self, script: str | Script | None) -> Conversation:
        played = script if isinstance(script, Script) else self.scripts.choose(script)
        return Conversation(played, self._stage())

    def _stage(self) -> Stage:
        return Stage(self.scripts.library, self.world.clock, self.pacer, self.voice, self.courier.spawn)

    def _leg(self, call: Call, party: Party, callbacks: Callbacks, fallback: Fallback) -> Leg:
        leg = Leg(self, call, party, callbacks, fallback)
        self.legs[call.sid] = leg
        return leg


def _application(asked: Number | Application) -> dict[str, str]:
    """What webhooks say of the application whose addresses are asked."""
    return {"ApplicationSid": asked.sid} if isinstance(asked, Application) else {}


# Whoever is called and has no script: answers and listens.
IDLE = Script("", hangup_after=None)
