"""Supervisors in a live call: heard by its agent alone (coach) or by everybody (join); end it, send it on.

Each is an intent, one REST call, and the truth by callback: a seat in the conference of the call, known by
its label `supervisor-<id>`. One a call and one a person, held by constraints.
"""

import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Q
from django.utils.translation import gettext

from calls import lattice, path
from calls.counters import count
from calls.events import Change, change
from calls.models import Agent, Call, Command, Conference, Leg, Offer, Participant, Supervision, User
from calls.models.offer import OPEN
from calls.refusal import Refused
from calls.services import commands, moves, offers, takeover, transfers
from calls.services.commands import Intent

__all__ = [
    "OPEN_ONES",
    "close",
    "coach",
    "end",
    "follow",
    "identity",
    "join",
    "leave",
    "open_of",
    "take_leg",
    "take_over",
    "transfer",
]

RING_SECONDS = 30
OPEN_ONES = ~Q(state=Supervision.State.ENDED)
_MODES = {
    Command.Kind.COACH: Supervision.Mode.COACH,
    Command.Kind.JOIN: Supervision.Mode.JOIN,
    Command.Kind.TAKEOVER: Supervision.Mode.JOIN,
}


def identity(user: User) -> str:
    """The Voice identity of a supervisor's page: letters, digits and _ (Twilio error 31105)."""
    return f"{Agent.SUPERVISORS}{user.pk}"


def open_of(call: Call) -> Supervision | None:
    """Who supervises the call now, if anybody does."""
    return Supervision.objects.filter(OPEN_ONES, call=call).select_related("by", "conference", "call").first()


def coach(*, call: Call, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """Speak to the agent, unheard by the caller. Raises Refused."""
    return _take_part(Command.Kind.COACH, call, by, command_id, now)


def join(*, call: Call, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """Speak with everybody in the call. Raises Refused."""
    return _take_part(Command.Kind.JOIN, call, by, command_id, now)


def take_over(*, call: Call, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """Speak with the caller in the place of a voice, which goes on until they are here. Raises Refused."""
    return _take_part(Command.Kind.TAKEOVER, call, by, command_id, now)


def leave(*, call: Call, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """Hang up the supervisor's own leg; the others go on. Raises Refused."""
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    mine = Supervision.objects.filter(OPEN_ONES, call=call, by=by).first()
    if mine is None:
        raise Refused("not_in_call", gettext("You are not in this call any more."))
    if not mine.leg_sid:
        raise _connecting()
    with change(at=now) as told:
        intent = Intent(command_id, call, Command.Kind.END_LEG, by)
        command = commands.intend(told, intent, args={"leg": mine.leg_sid})
    return commands.send([command], now=now)[0]


def end(*, call: Call, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """End the call for everybody. Raises Refused when it is over."""
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    return moves.hang_up(call=call, by=by, command_id=command_id, now=now)


def transfer(
    *, call: Call, kind: str, key: str, reason: str, by: User, command_id: uuid.UUID, now: datetime
) -> Command:
    """Send the caller on at once, to an agent, a queue or a number; who talked with them is free.

    Raises Refused, and then nothing has changed.
    """
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    if path.asks_secret(call.plan):
        raise Refused("secret", gettext("The caller is entering a code. Wait until that is over."))
    command = transfers.give(
        call=call, kind=kind, key=key, reason=reason, by=by, command_id=command_id, now=now
    )
    if command.state != Command.State.FAILED:
        for offer in Offer.objects.filter(call=call, state=Offer.State.RINGING).exclude(
            created_at__gte=command.created_at
        ):
            offers.withdraw(offer, now=now)
    return command


def take_leg(told: Change, row: Supervision, leg: Leg) -> None:
    """The supervisor's leg has shown itself, was answered, or is over. Of two legs only the first counts."""
    mine = Supervision.objects.filter(OPEN_ONES, pk=row.pk)
    if not mine.filter(leg_sid="").update(leg_sid=leg.sid) and not mine.filter(leg_sid=leg.sid).exists():
        return
    if lattice.has_ended(leg.status):
        close(told, row)
    elif leg.answered_at is not None:
        ringing = mine.filter(state=Supervision.State.RINGING)
        if ringing.update(state=Supervision.State.IN, joined_at=leg.answered_at):
            _tell(told, row, "joined")


def follow(row: Supervision, now: datetime) -> int:
    """Take in a change of mode: it is what the newest command that was done has made it. 1 if it changed."""
    done = Command.objects.filter(
        call=row.call_id, kind__in=_MODES, state=Command.State.DONE, args__supervision=row.pk
    )
    newest = done.order_by("-created_at").first()
    if newest is None or _MODES[Command.Kind(newest.kind)] == row.mode:
        return 0
    with change(at=now) as told:
        mode, coached = _MODES[Command.Kind(newest.kind)], newest.args["coach"]
        changed = Supervision.objects.filter(OPEN_ONES, pk=row.pk).exclude(mode=mode)
        if not changed.update(mode=mode, coached_sid=coached):
            return 0
        row.mode, row.coached_sid = mode, coached
        _tell(told, row, "changed")
    return 1


def close(told: Change, row: Supervision) -> bool:
    """End the row once; its leg, if it still lives, is a stray one then (services.ending)."""
    if not Supervision.objects.filter(OPEN_ONES, pk=row.pk).update(
        state=Supervision.State.ENDED, ended_at=told.at
    ):
        return False
    _tell(told, row, "ended")
    return True


def _take_part(kind: Command.Kind, call: Call, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    there = Supervision.objects.filter(OPEN_ONES, by=by).select_related("call", "conference").first()
    if there is not None:
        if there.call_id != call.pk:
            raise _busy()
        return _change_mode(there, kind, by, command_id, now)
    room = None if kind == Command.Kind.TAKEOVER else _room(call)
    coached = _agents_leg(room) if room is not None and kind == Command.Kind.COACH else ""
    row, command = _intend(kind, call, room, coached, by, command_id, now)
    command = commands.send([command], now=now)[0]
    if command.state == Command.State.FAILED:
        with change(at=now) as told:
            close(told, row)
    elif command.state == Command.State.DONE:
        Supervision.objects.filter(pk=row.pk, leg_sid="").update(leg_sid=command.args["call_sid"])
    return command


def _intend(
    kind: Command.Kind,
    call: Call,
    room: Conference | None,
    coached: str,
    by: User,
    command_id: uuid.UUID,
    now: datetime,
) -> tuple[Supervision, Command]:
    try:
        with change(at=now) as told:
            room = room or takeover.new_room(call, now=now)
            row = Supervision.objects.create(
                call=call,
                by=by,
                mode=_MODES[kind],
                conference=room,
                coached_sid=coached,
                created_at=now,
                until=now + timedelta(seconds=RING_SECONDS),
            )
            args = {
                "supervision": row.pk,
                "conference": room.name,
                "label": row.label(),
                "to": f"client:{identity(by)}",
                "from": call.number.e164 if call.number else "",
                "timeout": RING_SECONDS,
                "coach": coached,
            }
            command = commands.intend(told, Intent(command_id, call, kind, by), args=args)
            _tell(told, row, "asked")
    except IntegrityError:
        raise _taken(call, by) from None
    return row, command


def _change_mode(
    row: Supervision, kind: Command.Kind, by: User, command_id: uuid.UUID, now: datetime
) -> Command:
    """From coaching to joining or back: one update of the seat that is there."""
    if row.mode == _MODES[kind]:
        raise Refused("already", gettext("You are in this call already, in just that way."))
    if row.state != Supervision.State.IN:
        raise _connecting()
    coached = _agents_leg(row.conference) if kind == Command.Kind.COACH else ""
    with change(at=now) as told:
        args = {
            "supervision": row.pk,
            "conference": row.conference.name,
            "leg": row.leg_sid,
            "coach": coached,
        }
        command = commands.intend(told, Intent(command_id, row.call, kind, by), args=args)
    command = commands.send([command], now=now)[0]
    follow(row, now)
    return command


def _room(call: Call) -> Conference:
    """The conference in which the person of the call sits now. Raises Refused."""
    if call.state == Call.State.ENDED:
        raise Refused("call_ended", gettext("The call has ended."))
    seat = offers.caller_seat(call)
    if seat is not None:
        return seat.conference
    if call.state == Call.State.RINGING or Offer.objects.filter(call=call, state__in=OPEN).exists():
        raise Refused("not_answered", gettext("Nobody has answered yet. Try again when they talk."))
    raise Refused(
        "no_conference",
        gettext(
            "This call is not in a conference, so nobody can be added. You can listen, send it on or end it."
        ),
    )


def _agents_leg(room: Conference) -> str:
    """The leg of the agent to be coached: of two the one who came last. Raises Refused."""
    seats = Participant.objects.filter(
        conference=room,
        leg__kind=Leg.Kind.AGENT,
        leg__ended_at__isnull=True,
        joined_at__isnull=False,
        left_at__isnull=True,
    )
    seat = seats.select_related("leg").order_by("-joined_at").first()
    if seat is None:
        raise Refused("no_agent", gettext("No agent is in this call now, so there is nobody to coach."))
    return seat.leg.sid


def _busy() -> Refused:
    return Refused("busy", gettext("You are in another call. Leave it first."))


def _connecting() -> Refused:
    return Refused("connecting", gettext("You are being connected. Try again in a moment."))


def _taken(call: Call, by: User) -> Refused:
    other = open_of(call)
    if other is None:
        return _busy()
    if other.by_id == by.pk:
        return _connecting()
    text = (
        gettext("%(who)s coaches the agent already. One supervisor at a time can do so.")
        if other.mode == Supervision.Mode.COACH
        else gettext("%(who)s has joined the call already. One supervisor at a time can do so.")
    )
    return Refused("taken", text % {"who": other.by.shown()})


def _tell(told: Change, row: Supervision, what: str) -> None:
    count(f"supervision.{what}")
    told.emit(kind=f"supervision.{what}", noun="supervision", key=row.pk, call=row.call_id, by=row.by_id)
