"""TwiML without what it says: verbs, nouns and settings stay; words, names, numbers and addresses do not."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from emulator.capture.shapes import Shapes, masked, type_of
from emulator.capture.vocabulary import ADDRESSES, ATTRIBUTES, SETTINGS, TAGS

MOST_BYTES = 64 * 1024
MOST_ELEMENTS = 500
UNREADABLE = "<unreadable"
"""What stands for a document that is not XML; it is none either, so that a replay fails in the same way."""

LINKS = frozenset({"Redirect", "Play", "Refer"})
NAMED = frozenset({"Client", "Identity", "Conference", "Queue", "Enqueue", "Application", "Number", "Dial"})
NAMING = frozenset({"name", "participantLabel", "inboundTrackLabel", "outboundTrackLabel"})


class Unreadable(ValueError):
    """The text is not XML, or too large to be looked at."""


def cleaned(text: str, shapes: Shapes) -> str:
    """The document with everything private replaced; UNREADABLE for what is not XML."""
    try:
        root = _parsed(text)
    except Unreadable:
        return UNREADABLE
    return ET.tostring(_element(root, shapes, parent=""), encoding="unicode")


def read(text: str) -> ET.Element | None:
    """A document of a file, None when it was unreadable."""
    try:
        return _parsed(text)
    except Unreadable:
        return None


def _parsed(text: str) -> ET.Element:
    if len(text) > MOST_BYTES:
        raise Unreadable("too large")
    try:
        # The answer of the user's own application, and expat bounds entity expansion.
        root = ET.fromstring(text)  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        raise Unreadable(str(error)) from error
    if sum(1 for _ in root.iter()) > MOST_ELEMENTS:
        raise Unreadable("too many elements")
    return root


def _element(element: ET.Element, shapes: Shapes, parent: str) -> ET.Element:
    tag = element.tag if element.tag in TAGS else shapes.places.unlisted("Tag", element.tag)
    new = ET.Element(tag)
    for name, value in element.attrib.items():
        known = name if name in ATTRIBUTES else shapes.places.unlisted("attribute", name)
        new.set(known, _attribute(tag, known, value, shapes))
    new.text = _text(tag, (element.text or "").strip(), shapes) or None
    new.extend(_element(child, shapes, tag) for child in element if isinstance(child.tag, str))
    return new


def _attribute(tag: str, name: str, value: str, shapes: Shapes) -> str:
    if name in SETTINGS and SETTINGS[name].fullmatch(value):
        return value
    if name == "finishOnKey":
        return "#"  # any other key would end the zeros that stand for what was pressed
    if name in ADDRESSES:
        return _address(value, shapes)
    if name in NAMING:
        return shapes.places.name(value) if value else ""
    if tag == "Parameter" or name in {"digits", "sendDigits", "hints"}:
        return masked(value)
    return shapes.value(name, value)


def _text(tag: str, text: str, shapes: Shapes) -> str:
    if not text:
        return ""
    if tag in LINKS:
        return _address(text, shapes)
    if tag in NAMED and type_of(text) in {"text", "whole number"}:
        return shapes.places.name(text)
    return shapes.value("", text)


def _address(text: str, shapes: Shapes) -> str:
    text = text.strip()
    return shapes.url(text) if "://" in text else shapes.path_and_query(text)
