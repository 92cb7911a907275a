"""Dial: a room to enter, or numbers and clients that ring, of which the first to answer is bridged."""

from __future__ import annotations

import asyncio

from emulator.audio import tones
from emulator.audio.ear import Prompt
from emulator.leg import Leg
from emulator.people.loopback import send_keys
from emulator.rooms.bridge import Bridge
from emulator.rooms.recording import Order, Recording
from emulator.twiml import Document, Step, Verb
from emulator.verbs import dial_conference, dial_queue, leaving, ringing
from emulator.verbs.base import Outcome, action, telling
from emulator.verbs.dial_terms import star, time_limit, timeout
from emulator.verbs.record import order
from emulator.waiting import first

RECORD = frozenset(
    {"true"} | {f"record-from-{since}{how}" for since in ("answer", "ringing") for how in ("", "-dual")}
)
UNHEARD = ("referUrl", "recordingTrack", "ringTone", "trim")
ROOMS = {"Conference": dial_conference.conference, "Queue": dial_queue.queue}


async def dial(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Join a conference, take a caller from a queue, or ring numbers and clients."""
    for noun in verb.children:
        if (room := ROOMS.get(noun.name)) is not None:
            return await room(leg, verb, noun, document)
    _note_unheard(leg, verb)
    after, callees = action(verb, document), ringing.callees(leg, verb, document)
    wanted = order(verb, document, source="DialVerb") if verb.get("record") in RECORD else None
    if not callees:
        return telling(after, {"DialCallStatus": "failed"})
    if not verb.flag("answerOnBridge"):
        leg.answer()
    return await Dialling(leg, verb, after, wanted).run(callees)


def _note_unheard(leg: Leg, verb: Verb) -> None:
    for name in UNHEARD:
        if verb.get(name):
            leg.note(12200, f"<Dial {name}> changes nothing in the emulator")
    if verb.get("record") in RECORD and "ringing" in verb.get("record"):
        leg.note(12200, f'<Dial record="{verb.get("record")}"> records from the answer on in the emulator')


class Dialling:
    """One <Dial> of numbers and clients, from the first ring to its end; then it asks `after`."""

    def __init__(self, leg: Leg, verb: Verb, after: Step | None, wanted: Order | None) -> None:
        self.leg = leg
        self.verb = verb
        self.after = after
        self.wanted = wanted
        self.children: list[Leg] = []
        self.winner: Leg | None = None
        # Who hears what its noun's `url` says, before the two meet.
        self.listening: Leg | None = None
        self.tape: Recording | None = None
        self.bridged = False

    async def run(self, callees: list[ringing.Callee]) -> Outcome:
        """Ring, bridge the first that answers, and go on to `action` or the next verb after it."""
        try:
            # One after the other with `sequential`, otherwise all at once.
            for group in [[callee] for callee in callees] if self.verb.flag("sequential") else [callees]:
                await self._ring(group)
                if self.winner is not None:
                    await self._talk(self.winner)
                    break
        except asyncio.CancelledError:
            if self.leg.exchange.closing:
                raise
            # Whatever cancels us a second time, the children still end.
            await asyncio.shield(asyncio.ensure_future(self._leave()))
            raise
        except Exception:
            self._dismiss()
            raise
        return self._action()

    async def _ring(self, callees: list[ringing.Callee]) -> None:
        leg = self.leg
        rung = [ringing.child(leg, self.verb, callee) for callee in callees]
        self.children += rung
        with leg.ear.hearing(Prompt(tones.ringback(), leg.exchange.pacer.number + 1, "ringing", again=True)):
            self.winner = await ringing.first_to_answer(rung, timeout(self.verb))

    async def _talk(self, child: Leg) -> None:
        self.leg.answer()
        await send_keys(child, child.digits)
        self.listening = child
        meets = await child.listen_first()
        self.listening = None
        if not meets:
            return
        if self.wanted is not None:
            self.tape = self.leg.exchange.recordings.of_leg(self.leg, self.wanted)
        bridge = Bridge(self.leg, child)
        self.bridged = True
        try:
            with star(self.leg, self.verb) as pressed:
                limit = time_limit(self.leg, self.verb)
                done = await first(bridge.over.wait(), child.over.wait(), limit, pressed.wait())
        finally:
            bridge.part()
            if self.tape is not None:
                self.tape.stop()
        if not child.elsewhere:
            child.finish("completed", "time limit of <Dial>" if 2 in done else "the other side pressed *")

    async def _leave(self) -> None:
        """The call was redirected or has ended: end the children and still ask the old `action`."""
        if self.leg.call.live:
            await self.leg.exchange.world.clock.sleep(leaving.CHILD_END_S)
        if self.leg.bridge is not None:
            self.leg.bridge.part()
        self._dismiss()
        await leaving.leave(self.leg, self._action())

    def _dismiss(self) -> None:
        for child in self.children:
            if child is self.listening or not child.elsewhere:
                child.dismiss("the other side left")

    def _action(self) -> Step | None:
        call = (self.winner or self.children[-1]).call
        told = {
            # A child that was sent elsewhere lives on; for this <Dial> it is over.
            "DialCallStatus": "completed" if call.live else call.status,
            "DialCallSid": call.sid,
            "DialBridged": str(self.bridged).lower(),
        }
        if self.winner is not None:
            told["DialCallDuration"] = str(call.duration(self.leg.exchange.world.clock.now()))
        if self.tape is not None:
            told |= {"RecordingUrl": self.tape.url(), "RecordingSid": self.tape.sid}
        return telling(self.after, told)
