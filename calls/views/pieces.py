"""Pieces that several pages show: a call's state and length, and whether their reader may call somebody."""

from django.http import HttpRequest

from calls.access import may_call_out, may_use_desk
from calls.models import Agent, Call, CallState, User

__all__ = ["address_of", "badge", "clock", "length", "may_call", "page_of"]

LAST_PAGE = 10_000

_STATES = {
    CallState.RINGING: ("ringing", "warn"),
    CallState.LIVE: ("talking", "ok"),
    CallState.ENDED: ("ended", ""),
}
_BAD_ENDS = {Call.Outcome.MISSED: "warn", Call.Outcome.FAILED: "bad"}


def badge(call: Call) -> dict[str, str]:
    """State as colour (`tone`), shape (`icon`) and word; of an ended call its outcome if that was bad."""
    bad = _BAD_ENDS.get(Call.Outcome(call.outcome)) if call.state == CallState.ENDED else None
    if bad:
        return {"icon": "missed", "tone": bad, "word": call.get_outcome_display()}
    icon, tone = _STATES[CallState(call.state)]
    return {"icon": icon, "tone": tone, "word": call.get_state_display()}


def length(call: Call) -> str:
    """How long people talked, mm:ss or h:mm:ss; a dash if nobody answered."""
    if not call.answered_at or not call.ended_at:
        return "–"
    return clock(max(0, int((call.ended_at - call.answered_at).total_seconds())))


def clock(seconds: int) -> str:
    """A length in seconds as mm:ss or h:mm:ss."""
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes:02}:{seconds % 60:02}"


def page_of(request: HttpRequest) -> int:
    """Which page of a list is asked for; the first for anything odd."""
    text = request.GET.get("page", "1")
    return min(max(1, int(text)), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def address_of(request: HttpRequest, page: int) -> str:
    """The same list at another page."""
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}"


def may_call(user: User) -> bool:
    """Whether they can call from a desk of their own; one query, and only for who may."""
    allowed = may_call_out(user) and may_use_desk(user)
    return allowed and Agent.objects.filter(user=user.pk).exists()
