"""Speak the sentences that come with the product: `.venv/bin/python -m tools.spoken` (needs flite).

They are the lines of `streams/speech/shipped/sentences.txt`, what the demo's voice says. Each becomes a file
in the form of the cache (headless mu-law, 8 kHz), so that a machine without flite speaks them all the same.
Sound that no line asks for is deleted.
"""

from __future__ import annotations

import asyncio

from streams.speech.cache import SHIPPED
from streams.speech.flite import make
from streams.speech.store import SUFFIX, key
from tools.house import say


def main() -> None:
    """Speak what is missing, delete what is too much."""
    wanted = files()
    there = {path.name for path in SHIPPED.glob(f"*{SUFFIX}")}
    for name in there - wanted.keys():
        (SHIPPED / name).unlink()
    speaker = make()
    for name in wanted.keys() - there:
        say(wanted[name])
        (SHIPPED / name).write_bytes(asyncio.run(speaker.speak(wanted[name], "en")))


def sentences() -> list[str]:
    """The lines of the list; a line that begins with # is none."""
    lines = (SHIPPED / "sentences.txt").read_text(encoding="utf-8").splitlines()
    return [" ".join(line.split()) for line in lines if line.strip() and not line.startswith("#")]


def files() -> dict[str, str]:
    """The file of each sentence → its text."""
    voice = make().voice("en")
    return {f"{key(voice, text)}{SUFFIX}": text for text in sentences()}


if __name__ == "__main__":
    main()
