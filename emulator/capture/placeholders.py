"""What stands in the place of private things: the same for the same thing, and of its shape."""

from __future__ import annotations

import re

MOST = 5000
SID = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2})([0-9a-fA-F]{32})(?![A-Za-z0-9])")
KINDS = ("field", "key", "word", "header", "Tag", "attribute")
"""What names and words that are not Twilio's become, by the place where they stood."""
MADE = re.compile(rf"\+999[0-9]{{8}}|(?:name|s|token|{'|'.join(KINDS)})[0-9]+")
SHORTEST_SECRET = 6
OURS = re.compile(r"\+(?:999[0-9]{8}|0+)(?![0-9])|[A-Z]{2}0{28}[0-9]{4}(?![0-9a-fA-F])")
"""Placeholders and masks that have the shape of what they stand for."""
LEFT = re.compile(
    r"\+[0-9]{5}|[A-Z]{2}[0-9a-fA-F]{32}|(?<![0-9])(?=[0-9.]*[1-9])[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
)
"""What is in no line: telephone numbers, SIDs and IP addresses that are nobody's placeholders."""


class Placeholders:
    """One recording's dictionary. It never grows beyond bounds: what comes after shares the last place.

    `again`: a replay, whose numbers and names are placeholders already and stay as they are.
    """

    def __init__(self, *, again: bool = False) -> None:
        self._again = again
        self._known: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}
        self._secrets: set[str] = set()

    def sid(self, text: str) -> str:
        """CA and 32 hex digits → CA00…01."""
        return f"{text[:2]}{self._number(text[:2], text):032d}"

    def number(self, text: str) -> str:
        """A telephone number in E.164 → +99900000001 (999 is no country)."""
        return self._text("number", text, "+999{:08d}")

    def host(self, text: str) -> str:
        """A host name without port → host1.invalid (a name that never resolves)."""
        return f"host{self._number('host', text.lower())}.invalid"

    def name(self, text: str) -> str:
        """A name that people or programs gave → name1."""
        return self._text("name", text, "name{}")

    def segment(self, text: str) -> str:
        """A piece of a path → s1."""
        return self._text("segment", text, "s{}")

    def unlisted(self, kind: str, text: str) -> str:
        """A name or word that Twilio's lists have not → field1, key1, … for one of KINDS."""
        return self._text(kind, text, f"{kind}{{}}")

    def token(self, text: str) -> str:
        """Something random → token1."""
        return self._text("token", text, "token{}")

    def keep_out(self, secret: str) -> None:
        """Remember something that may not be in the file in any place. Only the user says what."""
        if not self._again and len(secret) >= SHORTEST_SECRET:
            self._secrets.add(secret)

    def betrayed(self, line: str) -> bool:
        """Whether a line holds a secret, or what should have been replaced.

        Nothing that came in is remembered for this: a stranger could send a word that every line holds.
        """
        return any(secret in line for secret in self._secrets) or LEFT.search(OURS.sub(" ", line)) is not None

    def behind(self, placeholder: str) -> str | None:
        """The SID that this placeholder stands for, if one was seen."""
        found = SID.fullmatch(placeholder)
        if found is None or not found[2].isdigit():
            return None
        wanted = int(found[2])
        return next(
            (text for (kind, text), n in self._known.items() if kind == found[1] and n == wanted), None
        )

    def _text(self, kind: str, text: str, form: str) -> str:
        if self._again and MADE.fullmatch(text):
            return text
        return form.format(self._number(kind, text))

    def _number(self, kind: str, text: str) -> int:
        known = self._known.get((kind, text))
        if known is not None:
            return known
        count = self._counts.get(kind, 0)
        if count < MOST:
            count += 1
            self._counts[kind] = self._known[kind, text] = count
        return count
