"""What Twilio tells of conferences → rows, in any order and any number of times.

Joining and leaving only move times one way; hold and mute follow the callback with the highest number.
"""

import logging
import re
from collections.abc import Mapping
from datetime import datetime

from calls import lattice
from calls.counters import count
from calls.events import Change, change
from calls.models import Call, Conference, Leg, Participant
from calls.services import legs, seats
from calls.text import clean

__all__ = ["apply", "found_in", "found_out", "found_over"]

_log = logging.getLogger("contactcenter.twilio")
_NAME = re.compile(r"call-([1-9][0-9]{0,17})-([1-9][0-9]{0,8})")
_HOLD = {"participant-hold": True, "participant-unhold": False}
_MUTE = {"participant-mute": True, "participant-unmute": False}

Fields = Mapping[str, str]


def apply(fields: Fields, *, at: datetime, now: datetime) -> bool:
    """Take in one callback, which happened `at`; False, with one log line, if the room is none of ours."""
    with change(at=now) as told:
        room = _room(fields, now)
        if room is None:
            _log.warning(
                "twilio.conference.ignored", extra={"conference": clean(fields["ConferenceSid"], 34)}
            )
            count("twilio.conference.ignored")
            return False
        at = min(at, now)
        event = fields["StatusCallbackEvent"]
        _note_room(room, fields, event, at)
        if fields.get("CallSid") and event.startswith("participant-"):
            _note_seat(told, room, fields, event, at, now)
    return True


def found_in(room: Conference, leg: Leg, *, now: datetime) -> None:
    """A leg was read to sit in the room: the callback that told of it was lost."""
    with change(at=now) as told:
        seat, _ = Participant.objects.get_or_create(conference=room, leg=leg)
        if seat.joined_at is None:
            seat.joined_at = now
            seat.save()
            told.emit(kind="participant.join", noun="participant", key=seat.pk, call=room.call_id)


def found_out(seat: Participant, *, at: datetime, now: datetime) -> bool:
    """A leg was read not to sit in the room any more, since `at` at the latest; False if we knew."""
    with change(at=now) as told:
        if not Participant.objects.filter(pk=seat.pk, left_at__isnull=True).update(left_at=at):
            return False
        told.emit(kind="participant.leave", noun="participant", key=seat.pk, call=seat.conference.call_id)
    return True


def found_over(room: Conference, *, at: datetime, reason: str, now: datetime) -> bool:
    """The room was read to be over, since `at`; False if we knew."""
    with change(at=now) as told:
        going_on = Conference.objects.filter(pk=room.pk, ended_at__isnull=True)
        if not going_on.update(ended_at=at, ended_reason=clean(reason, 60)):
            return False
        told.emit(kind="call.changed", noun="call", key=room.call_id, call=room.call_id)
    return True


def _room(fields: Fields, now: datetime) -> Conference | None:
    """The row by its name; one whose making was lost with a process is made again from the name."""
    found = _NAME.fullmatch(fields.get("FriendlyName", ""))
    if not found:
        return None
    call = Call.objects.select_for_update().filter(pk=int(found[1])).first()
    if call is None:
        return None
    row = {"call": call, "round": int(found[2]), "created_at": now}
    room, _ = Conference.objects.get_or_create(name=found[0], defaults=row)
    return room


def _note_room(room: Conference, fields: Fields, event: str, at: datetime) -> None:
    before = (room.sid, room.started_at, room.ended_at, room.ended_reason)
    room.sid = room.sid or fields["ConferenceSid"]
    if event == "conference-start":
        room.started_at = min(room.started_at or at, at)
    if event == "conference-end":
        room.ended_at = min(room.ended_at or at, at)
        room.ended_reason = room.ended_reason or clean(fields.get("ReasonConferenceEnded", ""), 60)
    if (room.sid, room.started_at, room.ended_at, room.ended_reason) != before:
        room.save()


def _note_seat(
    told: Change, room: Conference, fields: Fields, event: str, at: datetime, now: datetime
) -> None:
    leg = _leg(told, room, fields, event, at, now)
    if leg is None:
        return
    seat, made = Participant.objects.get_or_create(conference=room, leg=leg)
    before = _state(seat)
    seat.label = seat.label or clean(fields.get("ParticipantLabel", ""), 128)
    _move(seat, event, int(fields.get("SequenceNumber") or -1), at)
    if made or _state(seat) != before:
        seat.save()
        told.emit(
            kind=event.replace("participant-", "participant."),
            noun="participant",
            key=seat.pk,
            call=room.call_id,
        )


def _move(seat: Participant, event: str, sequence: int, at: datetime) -> None:
    if event == "participant-join":
        seat.joined_at = min(seat.joined_at or at, at)
    elif event == "participant-leave":
        seat.left_at = min(seat.left_at or at, at)
    elif event in _HOLD and sequence > seat.held_sequence:
        seat.held, seat.held_sequence = _HOLD[event], sequence
    elif event in _MUTE and sequence > seat.muted_sequence:
        seat.muted, seat.muted_sequence = _MUTE[event], sequence


def _leg(
    told: Change, room: Conference, fields: Fields, event: str, at: datetime, now: datetime
) -> Leg | None:
    """The leg of the callback, of this room's call; who joins has been answered."""
    sid = fields["CallSid"]
    status = lattice.LIVE if event == "participant-join" else "initiated"
    label = fields.get("ParticipantLabel", "")
    if not seats.may_sit(label=label, sid=sid, call=room.call):
        _log.warning("twilio.seat.foreign", extra={"call_sid": sid, "call": room.call_id})
        count("twilio.seat.foreign")
        return None
    leg = seats.apply(told, label=label, sid=sid, status=status, at=at, now=now)
    return leg or legs.apply_within(told, sid=sid, status=status, at=at, now=now)


def _state(seat: Participant) -> tuple[object, ...]:
    return (
        seat.label,
        seat.joined_at,
        seat.left_at,
        seat.held,
        seat.held_sequence,
        seat.muted,
        seat.muted_sequence,
    )
