"""What a voice may do: the actions that its admin has configured, by their names, and nothing else.

A voice names an action and says why. Where it leads stands in the action's row and never in what the voice,
a model or a caller says. Each is done only while the call is still the voice's, on the stream that
`ticket_id` let in (`handover.held`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from calls import path
from calls.counters import count
from calls.events import Change, change
from calls.models import Action, Call
from calls.refusal import Refused
from calls.selectors import path as numbers
from calls.services import callbacks, handover, verification, voices
from calls.text import clean

__all__ = ["FACTS", "Done", "give_up", "goodbye", "keep_place", "note_fact", "perform", "to_verify"]

FACTS, FACT_NAME, FACT_VALUE = 30, 40, 200
_GOODBYE = 1000  # characters, as of any sentence
_AT = 80
Kind = Action.Kind


@dataclass(frozen=True)
class Done:
    """What was done: the action's kind, whether the conversation ends with it, and a sentence about it."""

    kind: str
    ends: bool
    text: str


def perform(
    *,
    call_id: int,
    voice_id: int,
    ticket_id: int,
    name: str,
    reason: str = "",
    due: str = "",
    now: datetime,
) -> Done:
    """Take one of the voice's actions. `due` (ISO 8601) is of a call back alone; without it: soon.

    Raises Refused: `unknown_action`, `taken_over`, `no_queue`, `no_number`, `due_at`; nothing is done then.
    """
    with handover.held(call_id, voice_id, ticket_id, now=now) as (told, call):
        action = _action(voice_id, name)
        done = _DO[Kind(action.kind)](told, call, action, reason, due, now)
    count(f"voice.action.{action.kind}")
    return done


def note_fact(*, call_id: int, name: str, value: str, now: datetime) -> None:
    """Note something about the call, bounded and cleaned; the same name again takes the other's place.

    Raises Refused: `bad_fact` for no name or one of ours, `too_many_facts`, `unknown_call`.
    """
    name, value = clean(name, FACT_NAME).strip(), clean(value, FACT_VALUE)
    if not name or name == "reason":
        raise Refused("bad_fact", "A fact has a name of its own.")
    with change(at=now) as told:
        call = Call.objects.select_for_update().filter(pk=call_id).first()
        if call is None:
            raise Refused("unknown_call", "There is no such call.")
        facts = {**call.facts, name: value}
        if len(facts.keys() - {"reason"}) > FACTS:
            raise Refused("too_many_facts", f"At most {FACTS} facts are noted about a call.")
        if facts == call.facts:
            return
        Call.objects.filter(pk=call.pk).update(facts=facts)
        told.emit(kind="call.fact", noun="call", key=call.pk, call=call.pk)


def keep_place(*, call_id: int, voice_id: int, ticket_id: int, at: str, now: datetime) -> None:
    """Where the voice goes on should it be lost. Raises Refused (`taken_over`)."""
    with handover.held(call_id, voice_id, ticket_id, now=now) as (_, call):
        handover.place(call, at)


def to_verify(*, call_id: int, voice_id: int, ticket_id: int, then: str, failed: str, now: datetime) -> None:
    """Have Twilio ask for the code or date; the voice comes back at `then` or `failed`.

    Raises Refused: `taken_over`, `nothing_to_compare` or `too_many_wrong`.
    """
    with handover.held(call_id, voice_id, ticket_id, now=now) as (told, call):
        by = verification.way(numbers.settings_of(call.number), call.contact) if call.number else ""
        if not by:
            raise Refused("nothing_to_compare", "There is nothing to compare this caller's answer with.")
        if verification.is_spent(call, now=now):
            raise Refused("too_many_wrong", "Too many answers were wrong: nobody is asked any more for now.")
        back = {"voice": voice_id, "at": clean(then, _AT), "failed": clean(failed, _AT)}
        handover.to_plan(told, call, path.to_verify(by=by, then=back))


def goodbye(*, call_id: int, voice_id: int, ticket_id: int, text: str = "", now: datetime) -> None:
    """Say this, if it is not said yet, and end the call. Raises Refused (`taken_over`)."""
    with handover.held(call_id, voice_id, ticket_id, now=now) as (told, call):
        handover.to_plan(told, call, path.to_end(clean(text, _GOODBYE)))


def give_up(*, call_id: int, voice_id: int, ticket_id: int, now: datetime) -> None:
    """The voice cannot go on, and would not if it came back: its queue, or an apology. Raises Refused
    (`taken_over`).
    """
    with handover.held(call_id, voice_id, ticket_id, now=now) as (told, call):
        voices.give_up(told, call, now)


def _action(voice_id: int, name: str) -> Action:
    """The voice's own action of exactly this name."""
    there = Action.objects.select_related("queue", "voice__queue").filter(voice=voice_id)
    found = {action.name: action for action in there}.get(name)
    if found is None:
        count("voice.action.unknown")
        raise Refused("unknown_action", "This voice has no such action.")
    return found


def _to_queue(told: Change, call: Call, action: Action, reason: str, due: str, now: datetime) -> Done:
    if action.queue is None:
        raise Refused("no_queue", "The queue of this action is gone.")
    handover.to_queue(told, call, action.queue, reason=reason, now=now)
    return Done(action.kind, True, f"The caller goes to {action.queue.name}.")


def _to_phone(told: Change, call: Call, action: Action, reason: str, due: str, now: datetime) -> Done:
    handover.to_plan(told, call, path.to_phone(action.phone), reason=reason)
    return Done(action.kind, True, "The caller is connected with a telephone.")


def _to_voicemail(told: Change, call: Call, action: Action, reason: str, due: str, now: datetime) -> Done:
    handover.to_voicemail(told, call, action.queue, reason=reason)
    return Done(action.kind, True, "The caller may leave a message.")


def _end(told: Change, call: Call, action: Action, reason: str, due: str, now: datetime) -> Done:
    handover.to_plan(told, call, path.to_end(), reason=reason)
    return Done(action.kind, True, "The call ends.")


def _call_back(told: Change, call: Call, action: Action, reason: str, due: str, now: datetime) -> Done:
    queue = action.queue or action.voice.queue
    if queue is None:
        raise Refused("no_queue", "No queue is there whose agents could call back.")
    due_at = _moment(due, now)
    callbacks.check(call=call, due_at=due_at, now=now)
    handover.keep_reason(call, reason)
    callbacks.note(told, call=call, queue=queue, due_at=due_at, note=reason, now=now)
    return Done(action.kind, False, "Somebody will call back.")


def _moment(due: str, now: datetime) -> datetime:
    """The time that was asked for; without one now, which means as soon as the call is over."""
    if not due.strip():
        return now
    try:
        found = datetime.fromisoformat(due.strip()[:40])
    except ValueError:
        raise Refused("due_at", "The time must be like 2026-11-20T14:00:00Z.") from None
    return found if found.utcoffset() is not None else found.replace(tzinfo=UTC)


_DO = {
    Kind.QUEUE: _to_queue,
    Kind.PHONE: _to_phone,
    Kind.VOICEMAIL: _to_voicemail,
    Kind.CALLBACK: _call_back,
    Kind.END: _end,
}
