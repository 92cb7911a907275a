"""Twilio's conferences: call somebody into one by its name, hold, mute and take out its participants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from calls.gateway.client import GatewayError, ask
from calls.gateway.moments import moment
from calls.remedies import explain

__all__ = ["EVENTS", "RoomFacts", "add", "coach", "coaches", "find", "hold", "mute", "read", "remove"]

EVENTS = ["start", "end", "join", "leave", "mute", "hold"]
_PROGRESS = ["initiated", "ringing", "answered", "completed"]
_COMING = {"queued", "connecting", "ringing", "failed", "complete"}
_MOST = 250  # Twilio's limit of participants in one conference


@dataclass(frozen=True)
class RoomFacts:
    """A conference as REST tells it: over (`ended_at` UTC, None if not told) or who sits there.

    `members`: the CallSid of everybody who is connected, and their label.
    """

    sid: str
    over: bool
    ended_at: datetime | None = None
    reason: str = ""
    members: Mapping[str, str] = field(default_factory=dict)


def add(
    *,
    region: str,
    conference: str,
    label: str,
    to: str,
    from_: str,
    timeout: int,
    ends_conference: bool,
    status_callback: str,
    conference_callback: str,
    coached: str = "",
) -> str:
    """Call `to` (E.164 or client:…) into the conference of that name; the CallSid. Raises GatewayError.

    With `coached`, the CallSid of a participant, that one alone hears who comes.

    `timeout` is how long it rings, seconds. Twilio makes the conference when it does not exist, and takes the
    address for its callbacks from the first who comes: so everybody brings the same.
    """
    as_coach = {"coaching": True, "call_sid_to_coach": coached} if coached else {}
    made = ask(
        region,
        lambda twilio: twilio.conferences(conference).participants.create(
            from_=from_,
            to=to,
            label=label,
            timeout=timeout,
            beep="false",
            wait_url="",
            start_conference_on_enter=True,
            end_conference_on_exit=ends_conference,
            status_callback=status_callback,
            status_callback_method="POST",
            status_callback_event=_PROGRESS,
            conference_status_callback=conference_callback,
            conference_status_callback_method="POST",
            conference_status_callback_event=EVENTS,
            **as_coach,
        ),
    )
    if not made.call_sid:
        raise GatewayError("answer", permanent=False, unknown=True, text=explain("answer"))
    return str(made.call_sid)


def find(*, region: str, conference: str, participant: str) -> str | None:
    """The CallSid of a participant, by CallSid or label; None if there is none. Raises GatewayError."""
    try:
        found = ask(region, lambda twilio: twilio.conferences(conference).participants(participant).fetch())
    except GatewayError as error:
        if error.code in {"20404", "16022"}:
            return None
        raise
    return str(found.call_sid)


def read(*, region: str, conference: str) -> RoomFacts | None:
    """The conference of that name: the one in progress, else the newest that is over; None if there was none.

    Raises GatewayError.
    """
    live = _named(region, conference, "in-progress")
    if live is not None:
        return RoomFacts(str(live.sid), over=False, members=_members(region, str(live.sid)))
    over = _named(region, conference, "completed")
    if over is None:
        return None
    reason = str(getattr(over, "reason_conference_ended", "") or "")
    return RoomFacts(str(over.sid), over=True, ended_at=moment(over.date_updated), reason=reason)


def _named(region: str, name: str, status: str) -> Any:
    """Twilio's list has the newest first; unless asked for a status it may show those in progress only."""
    found = ask(
        region,
        lambda twilio: twilio.conferences.list(friendly_name=name, status=status, limit=20, page_size=20),
    )
    return next((one for one in found if one.friendly_name == name), None)


def _members(region: str, sid: str) -> dict[str, str]:
    """Who is being called in has a participant's row at Twilio too, but does not sit there yet."""
    found = ask(
        region, lambda twilio: twilio.conferences(sid).participants.list(limit=_MOST, page_size=_MOST)
    )
    return {
        str(one.call_sid): str(one.label or "")
        for one in found
        if str(getattr(one.status, "value", one.status) or "") not in _COMING
    }


def hold(*, region: str, conference: str, participant: str, on: bool, music: str) -> None:
    """Put a participant on hold, with TwiML from `music`, or take it back. Raises GatewayError."""
    fields = {"hold": True, "hold_url": music, "hold_method": "POST"} if on else {"hold": False}
    ask(region, lambda twilio: twilio.conferences(conference).participants(participant).update(**fields))


def mute(*, region: str, conference: str, participant: str, on: bool) -> None:
    """Mute a participant or not. Raises GatewayError."""
    ask(region, lambda twilio: twilio.conferences(conference).participants(participant).update(muted=on))


def coach(*, region: str, conference: str, participant: str, coached: str) -> None:
    """Have a participant heard by `coached` (a CallSid) alone; "": by everybody. Raises GatewayError."""
    fields = {"coaching": True, "call_sid_to_coach": coached} if coached else {"coaching": False}
    ask(region, lambda twilio: twilio.conferences(conference).participants(participant).update(**fields))


def coaches(*, region: str, conference: str, participant: str) -> str | None:
    """Whom a participant coaches: a CallSid, "" for nobody, None if there is none. Raises GatewayError."""
    try:
        found = ask(region, lambda twilio: twilio.conferences(conference).participants(participant).fetch())
    except GatewayError as error:
        if error.code in {"20404", "16022"}:
            return None
        raise
    return str(found.call_sid_to_coach or "") if found.coaching else ""


def remove(*, region: str, conference: str, participant: str) -> None:
    """Take a participant out; one that has gone is no error. Raises GatewayError."""
    try:
        ask(region, lambda twilio: twilio.conferences(conference).participants(participant).delete())
    except GatewayError as error:
        if error.code not in {"20404", "16022"}:
            raise
