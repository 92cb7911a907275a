"""Placeholders made real again for a replay: hosts become the recorder, SIDs those of the replayed call."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from emulator.capture import document
from emulator.capture.placeholders import SID

OWN = re.compile(r"host[0-9]+\.invalid")
NOWHERE = "127.0.0.1:9"
"""Where nobody listens: a replay speaks to no host that a file names, be it Twilio's or anybody's."""
PLAIN = {"https": "http", "wss": "ws"}


def led_to(text: str, netloc: str) -> str:
    """An address of the capture's applications led to `netloc`, without TLS; another host's leads nowhere."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return f"http://{NOWHERE}/"
    if not parts.netloc:
        return text
    to = netloc if OWN.fullmatch(parts.hostname or "") else NOWHERE
    return urlunsplit(parts._replace(scheme=PLAIN.get(parts.scheme, parts.scheme), netloc=to))


def twiml_led_to(text: str, netloc: str) -> str:
    """TwiML with every address in it led there. It is read first, since XML can write one in many ways."""
    root = document.read(text)
    if root is None:
        return document.UNREADABLE if text else ""
    for element in root.iter():
        element.text = led_to(element.text or "", netloc)
        for name, value in element.attrib.items():
            element.set(name, led_to(value, netloc))
    return ET.tostring(root, encoding="unicode")


def with_sids(text: str, behind: Callable[[str], str | None]) -> str:
    """The text with the placeholders of SIDs replaced by what stands behind them, where that is known."""
    return SID.sub(lambda found: behind(found[0]) or found[0], text)
