"""What every verb is: a coroutine over a leg that says how the document goes on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum
from urllib.parse import urljoin

from emulator.leg import Leg
from emulator.twiml import Document, Step, TwimlError, Verb


class End(Enum):
    """How a document ends before its end: the call does, or the wait in a queue."""

    HANGUP = "hangup"
    LEAVE = "leave"


HANGUP, LEAVE = End.HANGUP, End.LEAVE

Outcome = Step | End | None
Handler = Callable[[Leg, Verb, Document], Awaitable[Outcome]]


def action(verb: Verb, document: Document, *, default: bool = False) -> Step | None:
    """The request that `action` asks for; `telling` adds the verb's own fields.

    Without the attribute None, or with `default` the document's own address once more. Raises TwimlError
    11100, so a verb works it out, as its other addresses, before it takes anything or calls anybody.
    """
    url = verb.get("action")
    if not url and not default:
        return None
    return Step(absolute(url, document) if url else document.base, method(verb))


def telling(step: Step | None, fields: dict[str, str]) -> Step | None:
    """The same request with these fields."""
    return None if step is None else replace(step, fields=fields)


def method(verb: Verb, name: str = "method", default: str = "POST") -> str:
    """An HTTP method attribute; anything but GET is POST."""
    return "GET" if verb.get(name, default).upper() == "GET" else "POST"


def absolute(url: str, document: Document) -> str:
    """An address of the document, as seen from where the document came from. Raises TwimlError 11100."""
    try:
        return urljoin(document.base, url)
    except ValueError as error:
        raise TwimlError(11100, f"Invalid URL format: {url[:200]!r}") from error


def address(verb: Verb, name: str, document: Document) -> str:
    """The address in an attribute, "" without it."""
    return absolute(verb.get(name), document) if verb.get(name) else ""
