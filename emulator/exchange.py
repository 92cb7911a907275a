"""The telephone exchange: places calls, keeps the legs, wires clock, webhooks, sound and scripts together."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import aiohttp

from emulator.faults import Faults
from emulator.leg import Callbacks, Fallback, Leg
from emulator.pacing import Pacer
from emulator.party import Conversation, Party
from emulator.scripts import Scripts
from emulator.socket import MediaStream
from emulator.twiml import Step
from emulator.webhooks import Courier
from emulator.world import Call, World

Program = Callable[[Leg, Step, bool], Coroutine[Any, Any, None]]


class Exchange:
    """One running emulator without its HTTP doors.

    `run(leg, step, ends)` plays a leg's TwiML; with `ends` the call ends when the TwiML does.
    """

    def __init__(self, world: World, scripts: Scripts, http: aiohttp.ClientSession, run: Program) -> None:
        self.world = world
        self.scripts = scripts
        self.faults = Faults()
        self.courier = Courier(world, self.faults, http)
        self.pacer = Pacer(world.clock)
        self.run = run
        self.legs: dict[str, Leg] = {}
        self.closing = False

    def incoming(
        self,
        from_: str,
        to: str,
        *,
        script: str | None = None,
        caller_name: str = "",
        params: dict[str, str] | None = None,
    ) -> Leg:
        """Somebody calls a number of the account. Raises ScriptError for an unknown script."""
        conversation = self._conversation(script)
        number = self.world.number(to)
        call = self.world.new_call(
            from_,
            to,
            "inbound",
            number_sid=number.sid,
            caller_name=caller_name
            or (conversation.script.caller.name if number.voice_caller_id_lookup else ""),
            script=conversation.script.name,
            extra=params or {},
        )
        leg = self._leg(
            call,
            conversation.caller,
            Callbacks(number.status_callback, number.status_callback_method),
            Fallback(number.voice_fallback_url, number.voice_fallback_method),
        )
        leg.ring()
        leg.follow(Step(number.voice_url, number.voice_method))
        return leg

    def outgoing(self, call: Call, callbacks: Callbacks, fallback: Fallback, step: Step) -> Leg:
        """The REST API calls somebody: ring, answer, then follow `step`."""
        conversation = self._conversation(None)
        call.script = conversation.script.name
        leg = self._leg(call, conversation.caller, callbacks, fallback)
        call.become("queued", self.world.clock.now())
        self.courier.spawn(self._ring_out(leg, step))
        return leg

    def child(self, parent: Leg, from_: str, to: str, callbacks: Callbacks) -> Leg:
        """A leg that <Dial> makes; its party is the callee of the parent's script."""
        call = self.world.new_call(
            from_, to, "outbound-dial", parent_sid=parent.call.sid, script=parent.call.script
        )
        call.become("queued", self.world.clock.now())
        callee = parent.party.conversation.callee
        leg = self._leg(call, callee, callbacks, parent.fallback)
        leg.announce("initiated")
        return leg

    def ended(self, leg: Leg) -> None:
        """Keep the memory of ended calls bounded."""
        for sid in self.world.forget_old(leg.call.sid):
            self.legs.pop(sid, None)
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
        for leg in self.legs.values():
            for stream in leg.streams:
                stream.close()
            await leg.settle_program()
        await self.courier.close()

    async def _ring_out(self, leg: Leg, step: Step) -> None:
        leg.announce("initiated")
        await self.try_to_reach(leg)
        if leg.answered.is_set():
            leg.follow(step)

    async def try_to_reach(self, leg: Leg) -> None:
        """Ring the leg's party until it answers or declines, as its script says."""
        clock, part = self.world.clock, leg.party.part
        await clock.sleep(0.2)
        if part.reply == "failed":
            leg.finish("failed", "unreachable")
            return
        leg.ring()
        await clock.sleep(part.answer_after)
        if part.reply == "answers":
            leg.answer()
        elif part.reply == "busy":
            leg.finish("busy", "busy")

    def _conversation(self, script: str | None) -> Conversation:
        return Conversation(
            self.scripts.choose(script),
            self.scripts.library,
            self.world.clock,
            self.pacer,
            self.courier.spawn,
        )

    def _leg(self, call: Call, party: Party, callbacks: Callbacks, fallback: Fallback) -> Leg:
        leg = Leg(self, call, party, callbacks, fallback)
        self.legs[call.sid] = leg
        return leg
