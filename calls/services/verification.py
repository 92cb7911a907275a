"""Callers who prove who they are before they are routed, by a code or their date of birth.

What they key or say is compared and forgotten: no row, event, answer or log line holds it. While they may be
giving it no stream is open: those that are get stopped, none can be opened (tickets.issue), and afterwards
each comes back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password
from django.db.models import F, Q, Sum

from calls import path, spoken, steps
from calls.events import Change
from calls.models import Call, Contact, Leg, PhoneNumber, Ticket
from calls.refusal import Refused
from calls.services import queues, tickets

__all__ = ["Heard", "comparable", "finish", "hush", "is_spent", "judge", "restart", "tried", "way"]

TRIES = 2
_MOST_WRONG = 10  # answers in a contact's calls that go on or are of this hour; then nothing is compared
_AGAIN = "We could not make that out. Please try once more."
_SILENT = "We did not hear anything. Please try once more."


@dataclass(frozen=True)
class Heard:
    """What became of one try: whether anything was heard, and whether it is right."""

    anything: bool
    right: bool

    def sorry(self) -> steps.Say:
        """What is said before the next try."""
        return steps.Say(_AGAIN if self.anything else _SILENT)


def comparable(number: path.NumberSettings, contact: Contact | None) -> bool:
    """Whether there is something to compare an answer with; nobody is asked in vain."""
    if contact is None:
        return False
    return bool(contact.code) if number.verify == "code" else contact.born_on is not None


def way(number: path.NumberSettings, contact: Contact | None) -> str:
    """What a voice may have this caller asked for: what the number asks for, else what there is of the two;
    nothing where there is nothing to compare with.
    """
    if contact is None:
        return ""
    there = {"code": bool(contact.code), "birth": contact.born_on is not None}
    wanted = (number.verify,) if number.verify else tuple(there)
    return next((way for way in wanted if there.get(way)), "")


def judge(call: Call, *, digits: str, speech: str, now: datetime) -> Heard:
    """Compare what was keyed, or else said, with the contact. Slow on purpose: ask it outside of a change."""
    number, contact = call.number, call.contact
    anything = bool(digits or speech.strip())
    if not anything or number is None or contact is None or is_spent(call, now=now):
        return Heard(anything, False)
    if (call.plan.get("by") or number.verify) == PhoneNumber.Verify.CODE:
        code = "".join(key for key in digits if key.isdigit()) if digits else spoken.as_digits(speech)
        return Heard(True, bool(code) and check_password(code, contact.code))
    day = spoken.keyed_date(digits) if digits else spoken.as_date(speech)
    return Heard(True, day is not None and day == contact.born_on)


def is_spent(call: Call, *, now: datetime) -> bool:
    """Whether so much was guessed that nothing is compared any more: a voice may ask as often as it likes,
    and a call may last for hours.
    """
    if call.contact is None:
        return False
    recent = Q(started_at__gt=now - timedelta(hours=1)) | ~Q(state=Call.State.ENDED)
    theirs = Call.objects.filter(recent, contact=call.contact)
    return (theirs.aggregate(wrong=Sum("wrong_answers"))["wrong"] or 0) >= _MOST_WRONG


def hush(call: Call, leg: Leg, *, now: datetime) -> steps.StopTaps:
    """Close the leg to streams: what may still open cannot, what is open is to be stopped by name.

    The tickets are remembered in the plan, so that `restart` brings the streams back.
    """
    open_ones = [ticket for ticket in tickets.live_on(leg) if ticket.kind == Ticket.Kind.TAP]
    for ticket in open_ones:
        tickets.release(ticket_id=ticket.pk, now=now)
    ours = [ticket.pk for ticket in open_ones if ticket.origin != Ticket.Origin.INGEST]
    stopped = [*call.plan.get("stopped", []), *ours]
    queues.write_plan(call, {**call.plan, "stopped": stopped})
    return steps.StopTaps(tuple(ticket.name for ticket in open_ones))


def tried(call: Call, heard: Heard) -> str:
    """Count one try; the result of `Call.Verified` when it was the last, else nothing."""
    tries = int(call.plan.get("tries", 0)) + 1
    anything = heard.anything or bool(call.plan.get("heard"))
    queues.write_plan(call, {**call.plan, "tries": tries, "heard": anything})
    if heard.anything and not heard.right:
        Call.objects.filter(pk=call.pk).update(wrong_answers=F("wrong_answers") + 1)
    if heard.right:
        return Call.Verified.YES
    if tries < TRIES:
        return Call.Verified.NOT_ASKED
    return Call.Verified.NO if anything else Call.Verified.SKIPPED


def finish(told: Change, *, call: Call, result: str) -> None:
    """Write the result down; what comes next is not decided here."""
    call.verified = result
    call.save(update_fields=["verified"])
    told.emit(kind="call.verified", noun="call", key=call.pk, call=call.pk, facts={"result": str(result)})


def restart(leg: Leg, *, stopped: list[int], now: datetime) -> list[Ticket]:
    """New tickets in the place of those that were stopped for the code. The plan must have moved on.

    A stream that a person has stopped meanwhile, or that is no longer wanted, stays closed.
    """
    again = Ticket.objects.filter(
        pk__in=stopped, leg=leg, stopped_by__isnull=True, reopened_by__isnull=True, released_at__isnull=False
    )
    wanted = [old for old in again if leg.call.tap_wanted or old.asked_by_id]
    made = []
    for old in wanted:
        try:
            made.append(
                tickets.issue(
                    leg=leg,
                    origin=Ticket.Origin.TWIML,
                    track=old.track,
                    parameters=old.parameters,
                    now=now,
                    asked_by=old.asked_by,
                    reopens=old,
                )
            )
        except Refused:  # cannot be more than were open, unless somebody was quicker
            continue
    return made
