"""One value: what type it is, in words, and what may stand in the file for it."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

from emulator.capture.placeholders import SID, Placeholders
from emulator.capture.vocabulary import (
    ADDRESS,
    ADDRESS_NAMES,
    INSIDE,
    NAMES,
    PARAMETER,
    SEGMENTS,
    SPOKEN,
    TWILIO_HOST,
    WITHHELD,
    WORDED,
    Contract,
)

LONGEST = 200
NAMED = frozenset({"Streams", "Transcriptions", "Conferences", "Participants", "Recordings"})
ENDINGS = frozenset({"json", "wav", "mp3", "xml"})
SCHEMES = frozenset({"http", "https", "ws", "wss"})
DAYS, MONTHS = "Mon|Tue|Wed|Thu|Fri|Sat|Sun", "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_TIME = r"[0-9:]{5,8}"
RFC_DATE = rf"(?:{DAYS}), [0-9]{{1,2}} (?:{MONTHS}) [0-9]{{4}} {_TIME} (?:[+-][0-9]{{4}}|GMT|UTC)"
ISO_DATE = rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[T ]{_TIME}(?:\.[0-9]{{1,9}})?(?:Z|[+-][0-9:]{{4,6}})?"
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("empty", re.compile(r"")),
    ("SID", SID),
    ("boolean", re.compile(r"true|false", re.I)),
    ("whole number", re.compile(r"-?[0-9]{1,15}")),
    ("decimal number", re.compile(r"-?[0-9]{0,9}\.[0-9]{1,9}")),
    ("telephone number", re.compile(r"\+[0-9]{5,15}")),
    ("day", re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")),
    ("formatted number", re.compile(r"(?=(?:[^0-9]*[0-9]){7})[+(]?[0-9][0-9 ().-]{6,24}")),
    ("withheld number", re.compile("|".join(sorted(WITHHELD)))),
    ("RFC 2822 date", re.compile(RFC_DATE)),
    ("ISO 8601 date", re.compile(ISO_DATE)),
    ("client", re.compile(r"client:.*", re.S)),
    ("SIP address", re.compile(r"sips?:.*", re.S)),
    ("URL", re.compile(r"(?:https?|wss?)://.*", re.S)),
    ("path", re.compile(r"/.*", re.S)),
    ("JSON", re.compile(r"[{\[].*[}\]]", re.S)),
)


def type_of(text: str) -> str:
    """The type of a text in words. A placeholder has the type of what it stands for."""
    return next((name for name, pattern in PATTERNS if pattern.fullmatch(text)), "text")


def masked(text: str) -> str:
    """Letters as x and digits as 0, so that length and form stay, but no word and no number."""
    return "".join(_mask(character) for character in text[:LONGEST])


def _mask(character: str) -> str:
    if character.isalpha():
        return "x"
    if character.isdigit():
        return "0"
    return character if character in " .,:;-_/+" else "."


def stays(name: str, text: str, contract: Contract) -> bool:
    """Whether the value of this field or key is a word or number of Twilio's own."""
    pattern = contract.values.get(name)
    return pattern is not None and pattern.fullmatch(text) is not None


class Shapes:
    """Replaces values with the help of one recording's placeholders."""

    def __init__(self, places: Placeholders) -> None:
        self.places = places

    def value(self, name: str, text: str, contract: Contract = ADDRESS) -> str:
        """What may stand for the value of this field or key in this kind of message."""
        if SPOKEN.fullmatch(name):
            return masked(text)
        kind = type_of(text)
        if kind in {"empty", "withheld number", "boolean"} or stays(name, text, contract):
            return text
        if kind == "path" and not ADDRESS_NAMES.fullmatch(name):
            kind = "text"
        return self._named(name, kind, text)

    def _replaced(self, kind: str, text: str) -> str:
        match kind:
            case "SID":
                return self.places.sid(text)
            case "telephone number":
                return self.places.number(text)
            case "client":
                return "client:" + self.places.name(text.removeprefix("client:"))
            case "SIP address":
                return f"sip:{self.places.name(text)}@host0.invalid"
            case "URL":
                return self.url(text)
            case "path":
                return self.path_and_query(text)
            case "RFC 2822 date" | "ISO 8601 date":
                return re.sub("[0-9]", "0", text)
            case "JSON":
                return self._json(text)
        return masked(text)

    def _named(self, name: str, kind: str, text: str) -> str:
        if kind == "text" and name.rpartition(".")[2] in NAMES:
            return self.places.name(text)
        if kind == "text" and name in WORDED:
            return self.places.unlisted("word", text)
        return self._replaced(kind, text)

    def field(self, name: str, text: str, contract: Contract = ADDRESS) -> tuple[str, str, str]:
        """A form field or query parameter: name, type, value."""
        kind = type_of(text)
        if name not in contract.names and not PARAMETER.fullmatch(name):
            return self.places.unlisted("field", name), kind, masked(text)
        return name, kind, self.value(name, text, contract)

    def fields(
        self, pairs: list[tuple[str, str]], contract: Contract = ADDRESS
    ) -> list[tuple[str, str, str]]:
        """Every field, in order."""
        return [self.field(name, text, contract) for name, text in pairs]

    # addresses

    def url(self, text: str) -> str:
        """An absolute address: scheme, port and slashes stay; host, path and query are replaced."""
        try:
            parts = urlsplit(text)
            port = f":{parts.port}" if parts.port else ""
        except ValueError:
            return masked(text)
        if parts.scheme not in SCHEMES:
            return masked(text)
        user = "x:x@" if "@" in parts.netloc else ""
        return f"{parts.scheme}://{user}{self.host(parts.hostname or '')}{port}{self._rest(parts)}"

    def path_and_query(self, text: str) -> str:
        """An address without a host."""
        try:
            return self._rest(urlsplit("http://x" + text)) if text.startswith("/") else self._relative(text)
        except ValueError:
            return masked(text)

    def host(self, name: str) -> str:
        """A host without port; Twilio's own stay."""
        return name if TWILIO_HOST.fullmatch(name) else self.places.host(name)

    def path(self, text: str) -> str:
        """A path: its slashes, SIDs in their form, and the REST API's own words stay."""
        segments = text.split("/")
        return "/".join(
            self._segment(segment, after) for after, segment in zip(["", *segments], segments, strict=False)
        )

    def _relative(self, text: str) -> str:
        path, mark, query = text.partition("?")
        return self.path(path) + mark + self._query(query)

    def _rest(self, parts: SplitResult) -> str:
        query = f"?{self._query(parts.query)}" if parts.query else ""
        fragment = f"#{masked(parts.fragment)}" if parts.fragment else ""
        return self.path(parts.path) + query + fragment

    def _query(self, query: str) -> str:
        kept = self.fields(parse_qsl(query, keep_blank_values=True))
        return urlencode([(name, value) for name, _, value in kept])

    def _segment(self, segment: str, after: str) -> str:
        stem, dot, ending = segment.rpartition(".")
        if dot and ending in ENDINGS:
            return f"{self._segment(stem, after)}.{ending}"
        if not segment or segment in SEGMENTS:
            return segment
        if SID.fullmatch(segment):
            return self.places.sid(segment)
        # …/Streams/<name>: the name that forms and messages hold too.
        return self.places.name(unquote(segment)) if after in NAMED else self.places.segment(segment)

    # JSON

    def _json(self, text: str) -> str:
        try:
            return json.dumps(self.json(json.loads(text), INSIDE))
        except (ValueError, RecursionError):
            return masked(text)

    def json(self, value: Any, contract: Contract, name: str = "", depth: int = 0) -> Any:
        """The same structure and types, with only Twilio's own words in it. `name`: key or place."""
        if depth > 8:
            return None
        if isinstance(value, dict):
            pairs = [(self._key(key, name, contract), one) for key, one in list(value.items())[:100]]
            return {key: self.json(one, contract, _at(name, key, contract), depth + 1) for key, one in pairs}
        if isinstance(value, list):
            return [self.json(one, contract, name, depth + 1) for one in value[:100]]
        if isinstance(value, str):
            return self.value(name, value, contract)
        if isinstance(value, bool) or value is None or stays(name, str(value), contract):
            return value
        return 0 if isinstance(value, int) else 0.5

    def _key(self, key: str, parent: str, contract: Contract) -> str:
        if parent.endswith("customParameters"):
            return self.places.name(key)
        return key if key in contract.names else self.places.unlisted("key", key)


def _at(name: str, key: str, contract: Contract) -> str:
    """What the contract calls this key of the object that it calls `name`."""
    if name.endswith("customParameters"):
        return name
    return f"{name}.{key}" if name and contract.by_path else key
