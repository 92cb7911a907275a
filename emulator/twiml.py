"""Reading TwiML: text in, verbs out, or the error that Twilio would report."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field

MAX_BYTES = 64 * 1024
MAX_DEPTH = 50
LONGEST_S = 86_400.0
TRACKS = {
    "inbound_track": ("inbound",),
    "outbound_track": ("outbound",),
    "both_tracks": ("inbound", "outbound"),
}


class TwimlError(Exception):
    """A document that Twilio would refuse; `code` is Twilio's error number."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Verb:
    """One element: a verb, or a noun inside one."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: tuple[Verb, ...] = ()
    text: str = ""
    tail: str = ""

    def get(self, name: str, default: str = "") -> str:
        """An attribute, or the default where it is missing or empty."""
        return self.attributes.get(name) or default

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean attribute."""
        return self.get(name, str(default)).strip().lower() == "true"

    def number(self, name: str) -> int:
        """A whole number, 0 where there is none that can be read."""
        text = self.get(name).strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

    def seconds(self, name: str, default: float) -> float:
        """A number of seconds, a day at most; what cannot be read is the default, as at Twilio."""
        try:
            given = float(self.get(name, str(default)))
        except ValueError:
            return default
        return min(max(0.0, given), LONGEST_S) if math.isfinite(given) else default


@dataclass(frozen=True)
class Document:
    """One answer: its verbs in order, and the address that relative ones in it start from."""

    verbs: tuple[Verb, ...]
    base: str
    text: str


@dataclass(frozen=True)
class Step:
    """Where the next document comes from: an address to ask, or a text at hand."""

    url: str = ""
    method: str = "POST"
    twiml: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def read(text: str, base: str) -> Document:
    """Read one document.

    Raises TwimlError: 11750 too large, 12100 not XML, 12102 no <Response>.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise TwimlError(11750, "TwiML response body too large")
    try:
        # The target is the user's own program, and expat bounds entity expansion.
        root = ET.fromstring(text)  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        raise TwimlError(12100, f"Document parse failure: {error}") from error
    if root.tag != "Response":
        raise TwimlError(12102, "The root of TwiML is <Response>")
    if _deeper_than(root, MAX_DEPTH):
        raise TwimlError(12100, f"Document parse failure: more than {MAX_DEPTH} elements inside each other")
    return Document(tuple(_verb(child) for child in root), base, text)


def _deeper_than(root: ET.Element, depth: int) -> bool:
    level = [root]
    for _ in range(depth):
        level = [child for element in level for child in element]
    return bool(level)


def _verb(element: ET.Element) -> Verb:
    return Verb(
        name=element.tag,
        attributes=dict(element.attrib),
        children=tuple(_verb(child) for child in element),
        text=(element.text or "").strip(),
        tail=(element.tail or "").strip(),
    )
