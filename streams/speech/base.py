"""What a speaker is: text in, telephone sound out. Whoever adds one writes a module with `make()`."""

from __future__ import annotations

from typing import Protocol

__all__ = ["MOST_CHARACTERS", "Speaker", "SpeechError"]

MOST_CHARACTERS = 1000
"""Of one text, about a minute of speech; a voice says sentences."""


class SpeechError(Exception):
    """The text was not spoken. The message says why, `remedy` what a person may do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


class Speaker(Protocol):
    """One program or service with one voice; shared by all conversations of a process."""

    def voice(self, language: str) -> str:
        """Which voice of which engine speaks this language: under one name a text always sounds the same."""
        ...

    async def speak(self, text: str, language: str) -> bytes:
        """The text as mu-law, 8 kHz, mono, without a header; speech lies around −20 dBFS.

        `language` is such as "en" or "en-GB". b"" for a text without anything to say. It must not block the
        loop, and may be cancelled. Raises SpeechError.
        """
        ...
