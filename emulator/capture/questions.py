"""The open questions: read from one file, told as a table, answered by a capture."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from emulator.capture.evidence import EVIDENCE
from emulator.capture.reel import Reel

FILE = Path(__file__).parent / "questions.toml"


@dataclass(frozen=True)
class Question:
    """`settle` says what a call must do so that its capture holds the answer, or that none can."""

    id: str
    about: str
    asks: str
    emulator: str
    settle: str


def questions() -> list[Question]:
    """All of them, in the order of the contract."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return [Question(**one) for one in data["question"]]


def table() -> str:
    """All of them as a Markdown table."""
    rows = [
        f"| `{one.id}` | {one.about} | {one.asks} | {one.emulator} | {one.settle} |" for one in questions()
    ]
    head = [
        "| | about | question | the emulator | how a capture settles it |",
        "| --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows])


def settled(reel: Reel) -> dict[str, str]:
    """The questions that this capture answers, with the answers."""
    answers = {one.id: EVIDENCE[one.id](reel) for one in questions() if one.id in EVIDENCE}
    return {name: answer for name, answer in answers.items() if answer}
