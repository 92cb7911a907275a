"""What stands in the place of private things: the same for the same thing, and of its shape."""

from __future__ import annotations

import re

MOST = 5000
SID = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2})([0-9a-fA-F]{32})(?![A-Za-z0-9])")
KINDS = ("field", "key", "word", "header", "Tag", "attribute")
"""What names and words that are not Twilio's become, by the place where they stood."""
MADE = re.compile(rf"\+999[0-9]{{8}}|(?:name|s|token|{'|'.join(KINDS)})[0-9]+")
SHORTEST_TELLTALE = 6


class Placeholders:
    """One recording's dictionary. It never grows beyond bounds: what comes after shares the last place.

    `again`: a replay, whose numbers and names are placeholders already and stay as they are.
    """

    def __init__(self, *, again: bool = False) -> None:
        self._again = again
        self._known: dict[tuple[str, str], int] = {}
        self._counts: dict[str, int] = {}
        self._telltales: set[str] = set()

    def sid(self, text: str) -> str:
        """CA and 32 hex digits → CA00…01."""
        return f"{text[:2]}{self._number(text[:2], text):032d}"

    def number(self, text: str) -> str:
        """A telephone number in E.164 → +99900000001 (999 is no country)."""
        return self._text("number", text, "+999{:08d}")

    def host(self, text: str) -> str:
        """A host name without port → host1.invalid (a name that never resolves)."""
        # A word such as "application" is a host in some networks and is in every line too.
        telltale = text if "." in text else ""
        return f"host{self._number('host', text.lower(), telltale)}.invalid"

    def name(self, text: str) -> str:
        """A name that people or programs gave → name1."""
        return self._text("name", text, "name{}", telltale="")

    def segment(self, text: str) -> str:
        """A piece of a path → s1."""
        return self._text("segment", text, "s{}", telltale="")

    def unlisted(self, kind: str, text: str) -> str:
        """A name or word that Twilio's lists have not → field1, key1, … for one of KINDS."""
        return self._text(kind, text, f"{kind}{{}}", telltale="")

    def token(self, text: str) -> str:
        """Something random → token1."""
        return self._text("token", text, "token{}")

    def keep_out(self, secret: str) -> None:
        """Remember something that may not be in the file in any place."""
        if not self._again and len(secret) >= SHORTEST_TELLTALE and len(self._telltales) < MOST:
            self._telltales.add(secret)

    def betrayed(self, line: str) -> bool:
        """Whether a line still holds something that was replaced elsewhere."""
        return any(telltale in line for telltale in self._telltales)

    def behind(self, placeholder: str) -> str | None:
        """The SID that this placeholder stands for, if one was seen."""
        found = SID.fullmatch(placeholder)
        if found is None or not found[2].isdigit():
            return None
        wanted = int(found[2])
        return next(
            (text for (kind, text), n in self._known.items() if kind == found[1] and n == wanted), None
        )

    def _text(self, kind: str, text: str, form: str, telltale: str | None = None) -> str:
        if self._again and MADE.fullmatch(text):
            return text
        return form.format(self._number(kind, text, telltale))

    def _number(self, kind: str, text: str, telltale: str | None = None) -> int:
        known = self._known.get((kind, text))
        if known is not None:
            return known
        count = self._counts.get(kind, 0)
        if count < MOST:
            count += 1
            self._counts[kind] = self._known[kind, text] = count
            self.keep_out(text if telltale is None else telltale)
        return count
