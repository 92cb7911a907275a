"""Twilio's Call resource: read, sent on to other TwiML, ended."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from calls.gateway.client import GatewayError, ask
from calls.gateway.moments import moment

__all__ = ["CallFacts", "end", "fetch", "live", "redirect"]


@dataclass(frozen=True)
class CallFacts:
    """One Twilio call as REST tells it. Times in UTC, None where Twilio has none yet."""

    sid: str
    parent_sid: str
    from_: str
    to: str
    caller_name: str
    direction: str
    status: str
    started_at: datetime | None
    ended_at: datetime | None


def fetch(*, region: str, sid: str) -> CallFacts | None:
    """The call; None if this account and region have none of that SID. Raises GatewayError."""
    try:
        return _facts(ask(region, lambda twilio: twilio.calls(sid).fetch()))
    except GatewayError as error:
        if error.code == "20404":
            return None
        raise


def live(*, region: str) -> list[CallFacts]:
    """The calls in progress, at most 1000. Raises GatewayError."""
    found = ask(region, lambda twilio: twilio.calls.list(status="in-progress", limit=1000, page_size=1000))
    return [_facts(call) for call in found]


def redirect(*, region: str, sid: str, url: str) -> None:
    """Have a live call go on with the TwiML at `url`. Raises GatewayError."""
    ask(region, lambda twilio: twilio.calls(sid).update(url=url, method="POST"))


def end(*, region: str, sid: str) -> None:
    """End a call, whether it rings or is answered; one that is over is no error. Raises GatewayError."""
    try:
        ask(region, lambda twilio: twilio.calls(sid).update(status="completed"))
    except GatewayError as error:
        if error.code not in {"20404", "21220"}:
            raise


def _facts(call: Any) -> CallFacts:
    return CallFacts(
        sid=str(call.sid),
        parent_sid=str(call.parent_call_sid or ""),
        from_=str(call._from or ""),
        to=str(call.to or ""),
        caller_name=str(call.caller_name or ""),
        direction=str(call.direction or ""),
        status=str(getattr(call.status, "value", call.status) or ""),
        started_at=moment(call.start_time),
        ended_at=moment(call.end_time),
    )
