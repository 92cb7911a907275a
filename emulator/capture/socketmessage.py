"""The JSON of one message on a media socket, as it may stand in the file."""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from emulator.capture.shapes import Shapes, masked
from emulator.capture.vocabulary import Contract

LONGEST = 1 << 20
SOUND = re.compile(r"([0-9]{1,8}) bytes of sound")
EVENTS = ("media", "dtmf", "mark")
KEY_CLASSES = {**dict.fromkeys("0123456789", "0"), **dict.fromkeys("*#", "*"), **dict.fromkeys("ABCD", "A")}


def cleaned(text: bytes, shapes: Shapes, contract: Contract) -> Any:
    """The message without sound, keys and names; None when it is no JSON object."""
    if len(text) > LONGEST:
        return None
    try:
        message = msgspec.json.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    private = {key: _private(key, message.pop(key), shapes, contract) for key in EVENTS if key in message}
    return {**shapes.json(message, contract), **private}


def _private(event: str, body: Any, shapes: Shapes, contract: Contract) -> Any:
    if not isinstance(body, dict):
        return shapes.json(body, contract, event)
    own = {"media": "payload", "dtmf": "digit", "mark": "name"}[event]
    value = body.pop(own, None)
    clean = shapes.json(body, contract, event)
    if isinstance(value, str):
        clean[own] = {"media": _sound, "dtmf": _key, "mark": shapes.places.name}[event](value)
    elif value is not None:
        clean[own] = shapes.json(value, contract, own)
    return clean


def _sound(payload: str) -> str:
    try:
        return f"{len(base64.b64decode(payload, validate=True))} bytes of sound"
    except ValueError:
        return masked(payload)


def _key(digit: str) -> str:
    return KEY_CLASSES.get(digit, masked(digit))


def sound_bytes(payload: Any) -> int | None:
    """How long the sound was that this text stands for, None when it stands for none."""
    found = SOUND.fullmatch(payload) if isinstance(payload, str) else None
    return int(found[1]) if found else None
