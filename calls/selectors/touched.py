"""Whom events concern: topics such as agent:3 or queue:5, so that a desk looks again only when it must.

One query for each kind of noun that is there, however many events and desks there are.
"""

from collections.abc import Iterable, Iterator

from calls.models import Callback, Event, Matter, Offer, Voicemail, Waiting, WrapUp

__all__ = ["told_as", "topic", "topics_of"]

_BY_KEY = {"agent", "queue", "contact"}  # the noun itself is a topic
_SPOKEN = {"utterance", "gap", "stream", "turn"}  # these travel as themselves
_OF_THE_CALL = {"participant", "wrapup"}
# noun → its rows, and the topic of each field that names one
_FIELDS = {
    "offer": (Offer, {"agent": "agent_id", "call": "call_id"}),
    "waiting": (Waiting, {"agent": "agent_id", "queue": "queue_id", "call": "call_id"}),
    "wrapup": (WrapUp, {"agent": "agent_id", "call": "call_id"}),
    "callback": (Callback, {"agent": "agent_id", "queue": "queue_id", "contact": "call__contact"}),
    "voicemail": (Voicemail, {"queue": "queue_id", "contact": "call__contact"}),
    "matter": (Matter, {"contact": "contact_id"}),
}


def topic(noun: str, key: object) -> str:
    """The name of one topic."""
    return f"{noun}:{key}"


def topics_of(events: Iterable[Event]) -> dict[tuple[str, str], frozenset[str]]:
    """The topics of each noun that changed, by (noun, key); lines and gaps have none."""
    events = [event for event in events if event.noun not in _SPOKEN]
    rows = _rows(events)
    return {
        (event.noun, event.key): frozenset({*_plain(event), *rows.get((event.noun, event.key), ())})
        for event in events
    }


def told_as(event: Event, topics: frozenset[str]) -> tuple[str, str]:
    """The noun and key under which pages are told of an event: a seat in the room of a call and the wrap-up
    after it change what the call does, an offer what its agent does.
    """
    if event.noun in _OF_THE_CALL and event.call_id is not None:
        return "call", str(event.call_id)
    if event.noun == "offer":
        for one in topics:
            noun, _, key = one.partition(":")
            if noun == "agent":
                return noun, key
    return event.noun, event.key


def _plain(event: Event) -> Iterator[str]:
    if event.call_id is not None:
        yield topic("call", event.call_id)
    if event.noun in _BY_KEY:
        yield topic(event.noun, event.key)


def _rows(events: Iterable[Event]) -> dict[tuple[str, str], set[str]]:
    keys: dict[str, set[str]] = {}
    for event in events:
        if event.noun in _FIELDS and event.key.isascii() and event.key.isdigit() and len(event.key) < 19:
            keys.setdefault(event.noun, set()).add(event.key)
    found: dict[tuple[str, str], set[str]] = {}
    for noun, wanted in keys.items():
        model, fields = _FIELDS[noun]
        rows = model._default_manager.filter(pk__in=wanted).values_list("pk", *fields.values())
        for pk, *values in rows:
            named = zip(fields, values, strict=True)
            found[noun, str(pk)] = {topic(name, value) for name, value in named if value is not None}
    return found
