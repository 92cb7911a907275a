"""What `compare` says: the differences under their headings, then what else a reader must know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from emulator.capture.difference import Difference
from emulator.capture.facts import Facts
from emulator.capture.reel import Reel


def written(one: str, other: str, found: Sequence[Difference], facts: Sequence[Facts]) -> Iterator[str]:
    """The lines of the comparison."""
    points = "1 point" if len(found) == 1 else f"{len(found)} points"
    yield f"{one} and {other} differ in {points}." if found else f"{one} and {other} agree."
    for group, differences in groupby(found, key=lambda difference: difference.group):
        yield f"\n{group}"
        yield from (f"- {difference.sentence}" for difference in differences)
    if any(one.tunnelled for one in facts):
        yield "\nA tunnel stood before a recorder: spelling and order of headers were not compared."


def notes(name: str, reel: Reel) -> Iterator[str]:
    """What a reader must know of one capture."""
    if not reel.whole:
        yield f"\n{name}: the recording is not whole; how it ended was not compared."
    if reel.opening.signatures != "checked":
        yield f"\n{name}: signatures were not checked; TWILIO_AUTH_TOKEN was not set."
    for trouble in reel.troubles:
        yield f"\n{name}: {trouble.text}."


def settled(name: str, answers: Mapping[str, str]) -> Iterator[str]:
    """Which open questions one capture answers."""
    if answers:
        yield f"\nOpen questions that {name} settles"
        yield from (f"- {question}: {answer}" for question, answer in answers.items())
