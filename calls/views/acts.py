"""What an agent can do at the desk, by kind: find what is their own, audit, one service, its command."""

from collections.abc import Callable
from typing import TypeVar

from django.utils.translation import gettext, gettext_noop

from calls.access import may_call_out
from calls.models import Command, Offer
from calls.selectors import own, targets
from calls.services import (
    agents,
    callbacks,
    contacts,
    dialling,
    handling,
    help,
    inbox,
    notes,
    offers,
    transfers,
    wrapup,
)
from calls.views.asked import Asked, Wrong

__all__ = ["ACTS"]

LONG = 32_000  # characters; what is too long for a field is told in words by its service
_CONTACT = ("name", "company", "e164", "tags", "note")
Row = TypeVar("Row")


def _status(asked: Asked) -> None:
    status, reason = asked.text("status", 20), asked.text("reason", 40, default="")
    asked.audit(f"agent {asked.agent.pk}")
    agents.set_status(agent=asked.agent, status=status, reason=reason, now=asked.now)


def _phone(asked: Asked) -> None:
    """Not audited: the page tells it by itself, each time the phone registers."""
    kind, ok = asked.text("phone", 20), asked.flag("ok")
    agents.set_phone(agent=asked.agent, kind=kind, ok=ok, now=asked.now)


def _accept(asked: Asked) -> Command:
    offer = _offer(asked)
    if offer.kind != Offer.Kind.CALLBACK:
        raise Wrong(409, "by_phone", gettext("Answer this call with your phone."))
    return dialling.call_back(offer=offer, by=asked.by, command_id=asked.id, now=asked.now)


def _decline(asked: Asked) -> None:
    offers.decline(offer=_offer(asked), now=asked.now)


def _hang_up(asked: Asked) -> Command:
    return handling.hang_up(offer=_offer(asked), by=asked.by, command_id=asked.id, now=asked.now)


def _hold(asked: Asked) -> Command:
    on = asked.flag("on")
    return handling.hold(offer=_offer(asked), on=on, by=asked.by, command_id=asked.id, now=asked.now)


def _mute(asked: Asked) -> Command:
    on = asked.flag("on")
    return handling.mute(offer=_offer(asked), on=on, by=asked.by, command_id=asked.id, now=asked.now)


def _transfer(asked: Asked) -> Command:
    to, first = asked.inside("to"), asked.flag("first")
    kind, key, reason = to.text("kind", 20), to.text("key", 40), asked.text("reason", 200, default="")
    if kind not in {"agent", "queue", "number"}:
        raise Wrong(400, "bad_field", gettext("to must name an agent, a queue or a number."))
    return transfers.transfer(
        offer=_offer(asked),
        kind=kind,
        key=key,
        first=first,
        reason=reason,
        by=asked.by,
        command_id=asked.id,
        now=asked.now,
    )


def _complete(asked: Asked) -> Command:
    return transfers.complete(offer=_offer(asked), by=asked.by, command_id=asked.id, now=asked.now)


def _cancel(asked: Asked) -> Command:
    return transfers.cancel(offer=_offer(asked), by=asked.by, command_id=asked.id, now=asked.now)


def _help(asked: Asked) -> None:
    reason = asked.text("reason", 200, default="")
    help.ask(call=_offer(asked).call, reason=reason, by=asked.by, now=asked.now)


def _help_done(asked: Asked) -> None:
    help.done(call=_offer(asked).call, by=asked.by, now=asked.now)


def _note(asked: Asked) -> None:
    """Not audited: it is saved every two seconds, and the note itself tells who wrote it."""
    text = asked.text("text", LONG)
    call = _found(own.call(asked.agent, asked.row("call")), "call")
    notes.save(call=call, text=text, by=asked.by, now=asked.now)


def _dial(asked: Asked) -> Command:
    to, pk = asked.text("to", 40), asked.row_or_none("number")
    _check_may_call_out(asked)
    number = _found(targets.number_to_call_from(asked.agent, pk), "number") if pk is not None else None
    asked.audit(f"number {pk or 'of the queue'}")
    return dialling.dial(
        agent=asked.agent, to=to, number=number, by=asked.by, command_id=asked.id, now=asked.now
    )


def _wrapup_done(asked: Asked) -> None:
    """A repeat finds it closed, and promises nothing twice."""
    row = _found(own.wrapup(asked.agent, asked.row("wrapup")), "wrapup")
    outcome = asked.text("outcome", 60, default="")
    later = asked.inside("callback") if asked.fields.get("callback") is not None else None
    due_at, note = (later.moment("due_at"), later.text("note", 200, default="")) if later else (None, "")
    if due_at is not None:
        callbacks.check(call=row.call, due_at=due_at, now=asked.now)
    asked.audit(f"call {row.call_id}")
    if wrapup.close(wrapup=row, outcome=outcome, now=asked.now) and due_at is not None:
        callbacks.promise(
            call=row.call, agent=asked.agent, due_at=due_at, note=note, by=asked.by, now=asked.now
        )
    agents.return_to_work(agent=asked.agent, now=asked.now)


def _wrapup_extend(asked: Asked) -> None:
    row = _found(own.wrapup(asked.agent, asked.row("wrapup")), "wrapup")
    wrapup.extend(wrapup=row, due_at=asked.moment("due_at"), now=asked.now)


def _callback_call(asked: Asked) -> Command:
    _check_may_call_out(asked)
    row = _found(own.callback_to_call(asked.agent, asked.row("callback")), "callback")
    asked.audit(f"callback {row.pk}")
    return dialling.call_now(callback=row, agent=asked.agent, by=asked.by, command_id=asked.id, now=asked.now)


def _callback_cancel(asked: Asked) -> None:
    row = _found(own.callback(asked.agent, asked.row("callback")), "callback")
    asked.audit(f"callback {row.pk}")
    callbacks.cancel(callback=row, by=asked.by, now=asked.now)


def _matter_open(asked: Asked) -> None:
    text = asked.text("text", LONG)
    row = _found(own.contact(asked.agent, asked.row("contact")), "contact")
    asked.audit(f"contact {row.pk}")
    contacts.open_matter(contact_id=row.pk, text=text, by=asked.by, now=asked.now)


def _matter_close(asked: Asked) -> None:
    row = _found(own.matter(asked.agent, asked.row("matter")), "matter")
    asked.audit(f"matter {row.pk}")
    contacts.close_matter(matter_id=row.pk, by=asked.by, now=asked.now)


def _contact_save(asked: Asked) -> None:
    contact_id, call_id = asked.row_or_none("contact"), asked.row_or_none("call")
    if contact_id is not None:
        _found(own.contact(asked.agent, contact_id), "contact")
    if call_id is not None:
        _found(own.call(asked.agent, call_id), "call")
    fields = {name: asked.text(name, LONG) for name in _CONTACT if name in asked.fields}
    asked.audit(f"contact {contact_id or 'new'}")
    contacts.save(contact_id=contact_id, call_id=call_id, fields=fields, by=asked.by, now=asked.now)


def _voicemail_heard(asked: Asked) -> None:
    row = _found(own.voicemail(asked.agent, asked.row("voicemail")), "voicemail")
    asked.audit(f"voicemail {row.pk}")
    inbox.heard(voicemail=row, by=asked.by, now=asked.now)


def _check_may_call_out(asked: Asked) -> None:
    if not may_call_out(asked.by):
        raise Wrong(403, "not_allowed", gettext("Your account may not call out."))


def _offer(asked: Asked) -> Offer:
    """The agent's own open offer, audited: whatever follows is done with it."""
    offer = _found(own.offer(asked.agent, asked.row("offer")), "offer")
    asked.audit(f"call {offer.call_id}")
    return offer


def _found(row: Row | None, noun: str) -> Row:
    if row is None:
        raise Wrong(404, f"unknown_{noun}", gettext(_UNKNOWN[noun]))
    return row


_UNKNOWN = {
    "offer": gettext_noop("This call is not at your desk any more."),
    "call": gettext_noop("There is no such call of yours."),
    "wrapup": gettext_noop("There is no such wrap-up of yours."),
    "callback": gettext_noop("There is no such callback. Perhaps somebody else has made it."),
    "contact": gettext_noop("There is no such contact in your calls."),
    "matter": gettext_noop("There is no such open matter in your calls."),
    "number": gettext_noop("You cannot call from this number. Choose another one."),
    "voicemail": gettext_noop("There is no such message."),
}

ACTS: dict[str, Callable[[Asked], Command | None]] = {
    "status": _status,
    "phone": _phone,
    "accept": _accept,
    "decline": _decline,
    "hangup": _hang_up,
    "hold": _hold,
    "mute": _mute,
    "transfer": _transfer,
    "transfer.complete": _complete,
    "transfer.cancel": _cancel,
    "help": _help,
    "help.done": _help_done,
    "note": _note,
    "dial": _dial,
    "wrapup.done": _wrapup_done,
    "wrapup.extend": _wrapup_extend,
    "callback.call": _callback_call,
    "callback.cancel": _callback_cancel,
    "matter.open": _matter_open,
    "matter.close": _matter_close,
    "contact.save": _contact_save,
    "voicemail.heard": _voicemail_heard,
}
