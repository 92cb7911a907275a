"""The last look at a line: every piece of it must be of the closed lists, or a placeholder.

It knows nothing of where a word may stand; that is the work of the masks. It is there for their faults.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from emulator.capture.entries import Line, Message
from emulator.capture.headers import FAMILIES, WORDS
from emulator.capture.placeholders import KINDS
from emulator.capture.shapes import PATTERNS
from emulator.capture.socketmessage import SOUND
from emulator.capture.vocabulary import ASK, HOOK, LISTS, SEGMENTS, SETTINGS, STREAM, TOLD, WITHHELD

OUTSIDE = ("method", "path", "headers", "query", "form", "answer_headers", "twiml", "json")
"""What of a line came from outside."""
PAIRS = frozenset({"headers", "answer_headers", "query", "form"})
"""What of these is a list of names with their values."""

PIECE = re.compile(r"[^\W_]+")
HELD = re.compile(
    rf"(?:name|s|token|host|{'|'.join(KINDS)})[0-9]{{1,4}}|999[0-9]{{8}}|[A-Z]{{2}}0{{28}}[0-9]{{4}}"
    r"|[x0]+|0*T0*|0+Z|Parameter[0-9]{1,2}|[0-9]{1,5}"
)
"""Placeholders, masks, and numbers that are too short for anybody's."""
ESCAPE = re.compile(r"&(?:amp|lt|gt|quot|#[0-9]{1,7});")
"""What XML writes for a character; any other name between these two signs is looked at like a word."""
_FORM = """
    GET POST PUT DELETE HEAD OPTIONS OTHER TwiML text invalid twilio com api www eventgw routes voice js
    man woman alice json wav mp3 xml unreadable client sip http https ws wss x audio mulaw true false null
    none Mon Tue Wed Thu Fri Sat Sun Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec GMT UTC algorithm HMAC
    SHA1 SHA256 SHA384 SHA512 Twilio TmeWs TwilioProxy
"""


def _pieces(texts: Iterable[str]) -> set[str]:
    return {piece for text in texts for piece in PIECE.findall(text)}


KNOWN = _pieces([_FORM, *SEGMENTS, *WITHHELD, *FAMILIES, *(name for name, _ in PATTERNS)])
for _words in (*LISTS, *WORDS.values()):
    KNOWN |= _pieces(_words)
LOWER = {piece.lower() for piece in KNOWN}
NUMBERED = {*HOOK.values, *ASK.values, *SETTINGS, *(name.rpartition(".")[2] for name in TOLD.values)}
NUMBERED |= {name.rpartition(".")[2] for name in STREAM.values} | set(WORDS)
"""Names whose value may be a number."""


def stray(line: Line) -> bool:
    """Whether something is left in a line that is neither Twilio's word nor a placeholder."""
    content = msgspec.to_builtins(line)
    parts = {name: content[name] for name in OUTSIDE if name in content}
    if isinstance(line, Message):
        parts.pop("form")  # the kind of frame
    return any(_stray(name, value) for name, value in _values("", parts))


def _values(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every text and number with the name that it stands under; names are texts too."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield "", key
            yield from _values(key, inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            # The value of a field or header is under its name.
            pair = name in PAIRS and isinstance(inner, (list, tuple)) and len(inner) > 1
            yield from _values("", {inner[0]: inner[1:]}) if pair else _values(name, inner)
    else:
        yield name, value


def _stray(name: str, value: Any) -> bool:
    if isinstance(value, (bool, type(None))) or value in (0, 0.5):
        return False
    if isinstance(value, (int, float)) or value.isdecimal():
        return bool(str(value).strip("0")) and name not in NUMBERED and name.lower() not in NUMBERED
    return not SOUND.fullmatch(value) and any(map(_unknown, PIECE.findall(_plain(value))))


def _plain(text: str) -> str:
    """Without the escapes of XML and, inside them, of addresses."""
    text = ESCAPE.sub(lambda found: html.unescape(found[0]), text)
    return unquote_plus(text) if "%" in text else text


def _unknown(piece: str) -> bool:
    return piece not in KNOWN and not HELD.fullmatch(piece) and piece.lower() not in LOWER
