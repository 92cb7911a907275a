"""Twilio's conferences: call somebody into one by its name, hold, mute and take out its participants."""

from calls.gateway.client import GatewayError, ask
from calls.remedies import explain

__all__ = ["EVENTS", "add", "find", "hold", "mute", "remove"]

EVENTS = ["start", "end", "join", "leave", "mute", "hold"]
_PROGRESS = ["initiated", "ringing", "answered", "completed"]


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
) -> str:
    """Call `to` (E.164 or client:…) into the conference of that name; the CallSid. Raises GatewayError.

    `timeout` is how long it rings, seconds. Twilio makes the conference when it does not exist, and takes the
    address for its callbacks from the first who comes: so everybody brings the same.
    """
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


def hold(*, region: str, conference: str, participant: str, on: bool, music: str) -> None:
    """Put a participant on hold, with TwiML from `music`, or take it back. Raises GatewayError."""
    fields = {"hold": True, "hold_url": music, "hold_method": "POST"} if on else {"hold": False}
    ask(region, lambda twilio: twilio.conferences(conference).participants(participant).update(**fields))


def mute(*, region: str, conference: str, participant: str, on: bool) -> None:
    """Mute a participant or not. Raises GatewayError."""
    ask(region, lambda twilio: twilio.conferences(conference).participants(participant).update(muted=on))


def remove(*, region: str, conference: str, participant: str) -> None:
    """Take a participant out; one that has gone is no error. Raises GatewayError."""
    try:
        ask(region, lambda twilio: twilio.conferences(conference).participants(participant).delete())
    except GatewayError as error:
        if error.code not in {"20404", "16022"}:
            raise
