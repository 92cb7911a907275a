"""What we ask of Twilio: an intent row first, then one REST call, then its outcome.

pending → sent by one conditional update, so that two processes send once. A lost answer leaves the command
unknown; it is settled by what happens (the stream's nonce arrives, the leg shows itself) or, for the stop of
a stream, by asking again: stopping twice is harmless. No REST call happens inside a transaction.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext_noop

from calls.counters import count
from calls.events import Change, change
from calls.gateway.client import GatewayError
from calls.models import Call, Command, Ticket, User
from calls.remedies import explain
from calls.services import performing, tickets

__all__ = ["Intent", "fail", "intend", "known", "not_opened", "resolve_unknown", "send"]

_log = logging.getLogger("contactcenter.command")

ANSWER_WITHIN = timedelta(seconds=30)  # a stream whose answer was lost must have come by then
_SENT_WITHIN = timedelta(seconds=15)  # longer than any REST call of ours takes
_STOP_EVERY = timedelta(seconds=5)
_AT_ONCE = 8
_READ_EVERY = timedelta(seconds=2)
_WAIT = gettext_noop("Twilio's answer was lost. Within 30 seconds it will be known here whether it was done.")
_OPEN = (Command.State.PENDING, Command.State.SENT, Command.State.UNKNOWN)


@dataclass(frozen=True)
class Intent:
    """Who wants what of a call; `id` is the client's own, so that a repeat is one."""

    id: uuid.UUID
    call: Call
    kind: str
    by: User | None


@dataclass(frozen=True)
class _Outcome:
    state: str
    code: str = ""
    text: str = ""
    facts: Mapping[str, Any] | None = None


def known(command_id: uuid.UUID) -> Command | None:
    """The command of this id, if it was asked before: a repeat is one."""
    return Command.objects.select_related("call").filter(pk=command_id).first()


def intend(told: Change, intent: Intent, *, args: Mapping[str, Any], ticket: Ticket | None = None) -> Command:
    """Write down what is about to be asked; `args` name the stream, never its address."""
    command = _new(told, intent, args=dict(args), ticket=ticket)
    _tell(told, command)
    return command


def fail(told: Change, intent: Intent, *, code: str, text: str) -> Command:
    """Write down a command that could not even be sent, with the reason in words."""
    command = _new(
        told, intent, state=Command.State.FAILED, code=code[:12], text=text[:300], settled_at=told.at
    )
    _tell(told, command)
    return command


def _new(told: Change, intent: Intent, **fields: Any) -> Command:
    return Command.objects.create(
        id=intent.id, call=intent.call, kind=intent.kind, by=intent.by, created_at=told.at, **fields
    )


def send(commands: Sequence[Command], *, now: datetime) -> list[Command]:
    """Ask Twilio, once each and several at a time, and settle; gives the commands as they are then."""
    claimed = [command for command in commands if _claim(command, now)]
    if len(claimed) == 1:
        outcomes = [_perform(claimed[0])]
    elif claimed:
        with ThreadPoolExecutor(max_workers=min(_AT_ONCE, len(claimed))) as pool:
            outcomes = list(pool.map(_perform, claimed))  # REST only: no rows are touched in these threads
    for command, outcome in zip(claimed, outcomes if claimed else [], strict=True):
        _settle(command, outcome, now)
    return list(commands)


def resolve_unknown(*, now: datetime) -> int:
    """Settle commands whose answer was lost and those of a process that died; how many were settled."""
    waiting = Command.objects.filter(state__in=_OPEN).select_related("call", "ticket__leg")
    return sum(_resolve(command, now) for command in waiting.order_by("created_at")[:50])


def not_opened(*, call_sid: str, name: str, text: str, now: datetime) -> bool:
    """Twilio could not open the stream of that name: its ticket is worthless, its start has failed.

    `text` says why, for people. False if no such stream is waited for.
    """
    ticket = Ticket.objects.filter(leg__sid=call_sid, name=name, released_at__isnull=True).first()
    if ticket is None or not tickets.revoke(ticket_id=ticket.pk, now=now):
        return False
    started = Command.objects.filter(
        ticket=ticket, kind=Command.Kind.START_STREAM, state__in=(*_OPEN, Command.State.DONE)
    )
    for command in started:
        with change(at=now) as told:
            _write(told, command, _Outcome(Command.State.FAILED, "not_opened", text or explain("lost")))
    return True


def _claim(command: Command, now: datetime) -> bool:
    mine = Command.objects.filter(pk=command.pk, state=Command.State.PENDING)
    if not mine.update(state=Command.State.SENT, sent_at=now):
        command.refresh_from_db()
        return False
    command.state, command.sent_at = Command.State.SENT, now
    return True


def _perform(command: Command) -> _Outcome:
    try:
        facts = performing.perform(command)
    except GatewayError as error:
        if error.unknown:
            return _Outcome(Command.State.UNKNOWN, error.code, _WAIT)
        return _Outcome(Command.State.FAILED, error.code, error.text)
    return _Outcome(Command.State.DONE, facts=facts)


def _settle(command: Command, outcome: _Outcome, now: datetime) -> bool:
    """Write the outcome down once; False if another process has settled the command."""
    with change(at=now) as told:
        if not _write(told, command, outcome, _OPEN):
            return False
        if outcome.state == Command.State.FAILED and command.kind == Command.Kind.START_STREAM:
            _revoke(command, now)
    return True


def _write(told: Change, command: Command, outcome: _Outcome, open_: Sequence[str] = ()) -> bool:
    """The outcome into the row, if it is still in one of the `open_` states (in any, if none is named)."""
    ended = outcome.state in (Command.State.DONE, Command.State.FAILED)
    fields: dict[str, Any] = {
        "state": outcome.state,
        "code": outcome.code[:12],
        "text": outcome.text[:300],
        "args": {**command.args, **(outcome.facts or {})},
        "settled_at": told.at if ended else None,
    }
    rows = Command.objects.filter(pk=command.pk, state__in=open_ or (command.state,))
    if not rows.update(**fields):
        return False
    vars(command).update(fields)
    _tell(told, command)
    return True


def _revoke(command: Command, now: datetime) -> None:
    if command.ticket_id is not None:
        tickets.release(ticket_id=command.ticket_id, now=now)


def _tell(told: Change, command: Command) -> None:
    count(f"command.{command.kind}.{command.state}")
    if command.state in (Command.State.FAILED, Command.State.UNKNOWN):
        facts = {"kind": command.kind, "code": command.code, "call": command.call_id}
        _log.warning(f"command.{command.state}", extra=facts)
    told.emit(
        kind=f"{command.kind}.{command.state}",
        noun="command",
        key=command.pk,
        call=command.call_id,
        by=command.by_id,
        facts={"code": command.code} if command.code else {},
    )


def _resolve(command: Command, now: datetime) -> bool:
    if command.state == Command.State.PENDING:
        return _resolve_unsent(command, now)
    if command.state == Command.State.SENT and command.sent_at and now - command.sent_at < _SENT_WITHIN:
        return False
    if command.kind == Command.Kind.START_STREAM:
        return _resolve_start(command, now)
    if command.kind == Command.Kind.STOP_STREAM:
        return _resolve_stop(command, now)
    return _resolve_read(command, now)


def _resolve_unsent(command: Command, now: datetime) -> bool:
    """The process died between the intent and the call; what a person asked long ago is not done now."""
    if now - command.created_at < _SENT_WITHIN:
        return False
    return _settle(command, _Outcome(Command.State.FAILED, "unsent", explain("unsent")), now)


def _resolve_start(command: Command, now: datetime) -> bool:
    """The nonce has arrived: it happened. It has not within 30 s: it failed, and the nonce is revoked."""
    ticket = command.ticket
    if ticket is not None and ticket.spent_at is not None:
        return _settle(command, _Outcome(Command.State.DONE), now)
    if now - (command.sent_at or command.created_at) < ANSWER_WITHIN:
        return False
    if ticket is not None and not tickets.revoke(ticket_id=ticket.pk, now=now):
        ticket.refresh_from_db()
        if ticket.spent_at is not None:  # it arrived at this very moment
            return _settle(command, _Outcome(Command.State.DONE), now)
    return _settle(command, _Outcome(Command.State.FAILED, "lost", explain("lost")), now)


def _resolve_stop(command: Command, now: datetime) -> bool:
    """Ask again, each 5 s for half a minute."""
    asked = command.sent_at or command.created_at
    if now - asked < _STOP_EVERY:
        return False
    mine = Command.objects.filter(pk=command.pk, state=command.state, sent_at=command.sent_at)
    if not mine.update(sent_at=now, state=Command.State.SENT):
        return False
    command.sent_at, command.state = now, Command.State.SENT
    outcome = _perform(command)
    if outcome.state == Command.State.UNKNOWN and now - command.created_at > ANSWER_WITHIN:
        outcome = _Outcome(Command.State.FAILED, outcome.code, explain(outcome.code))
    return _settle(command, outcome, now) and outcome.state != Command.State.UNKNOWN


def _resolve_read(command: Command, now: datetime) -> bool:
    """Calls and conferences are read, never repeated: done when it shows, failed when it has not in 30 s."""
    asked = command.sent_at or command.created_at
    if now - asked < _READ_EVERY:
        return False
    try:
        facts = performing.seen(command)
    except GatewayError:
        facts = None
    if facts is not None:
        return _settle(command, _Outcome(Command.State.DONE, facts=facts), now)
    if now - asked < ANSWER_WITHIN:
        return False
    return _settle(command, _Outcome(Command.State.FAILED, "lost", explain("lost")), now)
