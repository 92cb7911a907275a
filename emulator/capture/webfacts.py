"""What a capture shows of webhooks: headers, fields, signatures, and in which order they came."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from emulator.capture import document
from emulator.capture.entries import Header, Signed
from emulator.capture.facts import Facts, joined, told
from emulator.capture.headers import TUNNEL
from emulator.capture.kinds import Kinds, documents
from emulator.capture.reel import Asked, Reel
from emulator.capture.schedule import TERMINAL

HEADERS, FIELDS, DATES = "Headers of webhooks", "Fields of webhooks", "Date formats"
ORDER, SIGNATURES = "Callbacks and their order", "Signatures"
OWN_VALUE = frozenset({"host", "content-length", "i-twilio-idempotency-token"})
HOP_HEADERS = frozenset({"accept-encoding", "connection", "content-length", "transfer-encoding", "te"})
CONSTANT = ("ApiVersion", "Direction", "CallStatus", "CallbackSource", "StreamEvent", "SequenceNumber")
WEEKDAY, MONTH = re.compile(r"^[A-Z][a-z]{2},"), re.compile(r"(?<=\d )[A-Z][a-z]{2}(?= )")
STREAM_ERROR = frozenset(
    {"AccountSid", "CallSid", "StreamSid", "StreamName", "StreamEvent", "StreamError", "Timestamp"}
)


def add(facts: Facts, reel: Reel) -> None:
    """State them."""
    kinds = Kinds(reel)
    by_kind: dict[str, list[Asked]] = defaultdict(list)
    for asked in reel.webhooks:
        by_kind[kinds.of(asked)].append(asked)
    for kind, group in by_kind.items():
        facts.see(ORDER, kind)
        add_headers(facts, HEADERS, kind, [asked.request.headers for asked in group])
        _add_fields(facts, kind, group)
    add_signatures(facts, "webhooks", [asked.request.signed for asked in reel.webhooks])
    if reel.whole:
        _add_order(facts, reel, kinds)


def add_headers(facts: Facts, group: str, subject: str, lists: Sequence[list[Header]]) -> None:
    """Names, spelling, order and harmless values of header lists; what a tunnel adds is left out."""
    values: dict[str, set[str]] = defaultdict(set)
    spelled: dict[str, str] = {}
    for headers in lists:
        for name, value in headers:
            low = name.lower()
            if TUNNEL.fullmatch(low):
                facts.tunnelled = True
                continue
            spelled.setdefault(low, name)
            values[low].add("" if low in OWN_VALUE else value or "")
    for low, seen in values.items():
        hop = low in HOP_HEADERS
        facts.state(group, subject, f"the header {low}", joined(seen - {""}) or "present", fragile=hop)
        facts.state(group, subject, f"the spelling of {low}", spelled[low], loose=True, fragile=True)
    facts.state(group, subject, "the order of headers", tuple(spelled), fragile=True)


def _add_fields(facts: Facts, kind: str, group: Sequence[Asked]) -> None:
    types: dict[str, set[str]] = defaultdict(set)
    values: dict[str, set[str]] = defaultdict(set)
    for asked in group:
        for name, kind_of_value, value in (*asked.request.query, *asked.request.form):
            types[name].add(_typed(kind_of_value, value))
            values[name].add(value)
    for name, seen in types.items():
        kept = joined(seen - {"empty"})
        dates = DATES if kept and "date" in kept else FIELDS
        facts.see(dates, kind)
        facts.state(FIELDS, kind, f"the field {name}", "present")
        facts.state(dates, kind, f"the type of {name}", kept, loose=True)
        if name in CONSTANT:
            facts.state(FIELDS, kind, f"the value of {name}", joined(values[name]), loose=True)


def _typed(kind: str, value: str) -> str:
    if not kind.endswith("date"):
        return kind
    return f"{kind} like {MONTH.sub('Mmm', WEEKDAY.sub('Ddd,', value))}"


# signatures


def add_signatures(facts: Facts, subject: str, signed: Iterable[Signed | None]) -> None:
    """Which form of the address was signed, as far as it was checked."""
    covered, ports = set(), set()
    for one in signed:
        if one is None or one.state == "not checked":
            continue
        covered.add(_covered(one))
        if one.state == "valid" and one.port in {"given", "dropped", "added"}:
            ports.add((one.scheme, one.port))
    facts.state(SIGNATURES, subject, "what the signature covers", joined(covered))
    for scheme in sorted({scheme for scheme, _ in ports}):
        kept = joined(port for of, port in ports if of == scheme)
        facts.state(SIGNATURES, subject, f"the port in a signed {scheme} address", kept, loose=True)


def _covered(signed: Signed) -> str:
    if signed.state == "absent":
        return "nothing: there is none"
    if signed.state == "no match":
        return "no form of the address that was tried"
    scheme = "the ws(s) address" if signed.scheme in {"ws", "wss"} else "the http(s) address"
    slash = {"added": " with a / added", "dropped": " without its last /"}.get(signed.slash, "")
    query = " without its query" if signed.query == "dropped" else ""
    return f"{scheme}{slash}{query}" if slash or query else f"{scheme} as given"


# order


def _add_order(facts: Facts, reel: Reel, kinds: Kinds) -> None:
    """Per call and per stream, since nothing is promised between two of them."""
    orders: dict[str, list[str]] = defaultdict(list)
    names: dict[str, str] = {}
    for asked in reel.webhooks:
        kind, form = kinds.of(asked), asked.form
        sid = form.get("StreamSid") if kind.startswith("stream callback") else form.get("CallSid")
        if not sid:
            continue
        name = names.setdefault(sid, _called(sid, names))
        repeated = orders[name][-1:] == [kind] and kind.startswith("voice request")
        if not repeated:
            orders[name].append(kind)
    for name, order in orders.items():
        facts.state(ORDER, name, "the order of requests", tuple(order), loose=True)


def _called(sid: str, names: dict[str, str]) -> str:
    word = "stream" if sid.startswith("MZ") else "call"
    return f"{word} {sum(name.startswith(word) for name in names.values()) + 1}"


# what it says to the open questions; "" where it says nothing


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
