"""What a capture shows of webhooks: headers, fields, signatures, and in which order they came."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from emulator.capture.facts import Facts, joined
from emulator.capture.headers import TUNNEL
from emulator.capture.kinds import Kinds
from emulator.capture.lines import Header, Signed
from emulator.capture.reel import Asked, Reel

HEADERS, FIELDS, DATES = "Headers of webhooks", "Fields of webhooks", "Date formats"
ORDER, SIGNATURES = "Callbacks and their order", "Signatures"
OWN_VALUE = frozenset({"host", "content-length", "i-twilio-idempotency-token"})
HOP_HEADERS = frozenset({"accept-encoding", "connection", "content-length", "transfer-encoding", "te"})
CONSTANT = ("ApiVersion", "Direction", "CallStatus", "CallbackSource", "StreamEvent", "SequenceNumber")
WEEKDAY, MONTH = re.compile(r"^[A-Z][a-z]{2},"), re.compile(r"(?<=\d )[A-Z][a-z]{2}(?= )")


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
        told = joined(seen - {"empty"})
        dates = DATES if told and "date" in told else FIELDS
        facts.see(dates, kind)
        facts.state(FIELDS, kind, f"the field {name}", "present")
        facts.state(dates, kind, f"the type of {name}", told, loose=True)
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
        told = joined(port for of, port in ports if of == scheme)
        facts.state(SIGNATURES, subject, f"the port in a signed {scheme} address", told, loose=True)


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
