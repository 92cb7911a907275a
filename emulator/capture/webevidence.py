"""What a capture says to the open questions about webhooks; "" where it says nothing."""

from __future__ import annotations

from emulator.capture import document
from emulator.capture.facts import told
from emulator.capture.kinds import Kinds, documents
from emulator.capture.reel import Reel
from emulator.capture.schedule import TERMINAL

STREAM_ERROR = frozenset(
    {"AccountSid", "CallSid", "StreamSid", "StreamName", "StreamEvent", "StreamError", "Timestamp"}
)


def connect_action(reel: Reel) -> str:
    """The fields that only the action of <Connect> has."""
    return _more_fields(reel, "action of Connect")


def partial_fields(reel: Reel) -> str:
    """The fields that only partial results have."""
    return _more_fields(reel, "partial result of Gather")


def _more_fields(reel: Reel, kind: str) -> str:
    kinds = Kinds(reel)
    voice = [a for a in reel.webhooks if kinds.of(a).startswith("voice request")]
    usual = {name for asked in voice for name in asked.form}
    asked = [a for a in reel.webhooks if kinds.of(a) == kind]
    more = sorted({name for one in asked for name in one.form} - usual)
    return (", ".join(more) or "none") if asked and usual else ""


def reject_status(reel: Reel) -> str:
    """The status in which a rejected call ended."""
    return _ended(reel) if _first_verb(reel) == "Reject" else ""


def abandoned_status(reel: Reel) -> str:
    """The status in which an unanswered call ended that nobody rejected."""
    answered = any(asked.form.get("CallStatus") == "in-progress" for asked in reel.webhooks)
    inbound = any(asked.form.get("Direction") == "inbound" for asked in reel.webhooks)
    status = _ended(reel)
    refused = answered or not inbound or reel.sockets or _first_verb(reel) != "Pause"
    return "" if refused or status == "completed" else status


def _ended(reel: Reel) -> str:
    statuses = [asked.form.get("CallStatus", "") for asked in reel.webhooks]
    return told(status for status in statuses if status in TERMINAL)


def _first_verb(reel: Reel) -> str:
    root = next((document.read(text) for text in documents(reel)), None)
    return str(root[0].tag) if root is not None and len(root) else ""


def dial_action(reel: Reel) -> str:
    """Whether the action of <Dial> was asked of a call that had ended."""
    kinds = Kinds(reel)
    asked = [a for a in reel.webhooks if kinds.of(a) == "action of Dial"]
    return told("yes" for a in asked if a.form.get("CallStatus") == "completed")


def stream_error_fields(reel: Reel) -> str:
    """Fields of stream-error that are not documented."""
    errors = [a.form for a in reel.webhooks if a.form.get("StreamEvent") == "stream-error"]
    more = sorted({name for form in errors for name in form} - STREAM_ERROR)
    return (", ".join(more) or "no more fields") if errors else ""


def stopped_after_error(reel: Reel) -> str:
    """Whether a stream that failed also stopped."""
    events: dict[str, list[str]] = {}
    for asked in reel.webhooks:
        if "StreamEvent" in asked.form:
            events.setdefault(asked.form.get("StreamSid", ""), []).append(asked.form["StreamEvent"])
    failed = [row for row in events.values() if "stream-error" in row]
    return told("yes" if "stream-stopped" in row else "no" for row in failed) if reel.whole else ""


def withheld_number(reel: Reel) -> str:
    """The word in place of a number."""
    return told(a.form["From"] for a in reel.webhooks if a.types.get("From") == "withheld number")


def idempotency(reel: Reel) -> str:
    """Whether requests have the token."""
    having = [
        any(name.lower() == "i-twilio-idempotency-token" for name, _ in asked.request.headers)
        for asked in reel.webhooks
    ]
    return "" if not having else "yes" if all(having) else "on some requests" if any(having) else "no"
