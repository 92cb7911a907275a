"""A call's state and length as the list of calls shows them, in the same pieces as the live pages."""

from calls.models import Call, CallState

__all__ = ["badge", "length"]

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
    seconds = max(0, int((call.ended_at - call.answered_at).total_seconds()))
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours}:{minutes:02}:{seconds % 60:02}" if hours else f"{minutes:02}:{seconds % 60:02}"
