"""What was answered to a step that asks: by speech, by keys, over several utterances. Pure.

`understand` gives what was meant (`Meant`), that more may come (`Partly`), or None for what answers nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from calls.days import as_day, as_time, keyed_day, keyed_time
from calls.digits import runs
from calls.flows.steps import Day, Digits, Hour, Menu, Option, YesNo
from calls.matching import best, yes_or_no
from calls.spoken import as_digits

__all__ = ["Asking", "Meant", "Partly", "phrases", "understand"]

Asking = Menu | YesNo | Digits | Day | Hour

_PAUSE: Final = " um "  # between two utterances: no number, and none is made of the two around it
_MOST_SAID: Final = 400  # characters kept of an answer that goes on
_DAY_KEYS: Final = 8
_TIME_KEYS: Final = 4
_YES, _NO = "1", "2"


@dataclass(frozen=True, slots=True)
class Meant:
    """What was understood, and to which step it leads."""

    value: str
    go: str


@dataclass(frozen=True, slots=True)
class Partly:
    """An answer that may go on: what was said and keyed of it."""

    said: str = ""
    keys: str = ""


def phrases(options: Sequence[Option]) -> dict[str, Sequence[str]]:
    """The options' phrases by their names."""
    return {option.name: option.phrases for option in options}


def understand(
    step: Asking, before: Partly, *, said: str = "", key: str = "", today: date
) -> Meant | Partly | None:
    """What this answers, after what was said and keyed before; neither is that nothing more came."""
    if isinstance(step, Menu):
        return _chosen(step, said, key)
    if isinstance(step, YesNo):
        answer = {_YES: True, _NO: False}.get(key) if key else yes_or_no(said)
        return None if answer is None else Meant("yes", step.yes) if answer else Meant("no", step.no)
    if said:
        return _spoken(step, f"{before.said}{_PAUSE if before.said else ''}{said}"[-_MOST_SAID:], said, today)
    if key and key not in "0123456789#":
        return None
    if key in ("", "#"):
        value = _whole(step, before, today)
        return Meant(value, step.go) if value else None
    return _keyed(step, before.keys + key, today)


def _chosen(step: Menu, said: str, key: str) -> Meant | None:
    if key:
        found = next((option for option in step.options if option.keys == key), None)
    else:
        name = best(said, phrases(step.options)) if said else ""
        found = next((option for option in step.options if option.name == name), None)
    return Meant(found.name, found.go) if found else None


def _spoken(step: Digits | Day | Hour, all_said: str, said: str, today: date) -> Meant | Partly | None:
    if isinstance(step, Digits):
        return _digits(step, all_said, said)
    for text in (said, all_said):
        if value := _read(step, text, today):
            return Meant(value, step.go)
    return None


def _digits(step: Digits, all_said: str, said: str) -> Meant | Partly | None:
    """Enough digits, or the first of them; an utterance without a digit answers nothing."""
    if not as_digits(said) and not _fitting(said, range(1, step.most + 1)):
        return None
    digits = as_digits(all_said)
    whole = _fitting(all_said, range(step.most, step.most + 1))
    if whole and (whole == digits or step.least == step.most):
        return Meant(whole, step.go)
    return Partly(said=all_said) if len(digits) <= step.most else None


def _keyed(step: Digits | Day | Hour, keys: str, today: date) -> Meant | Partly | None:
    """Keys until there cannot be more."""
    most = step.most if isinstance(step, Digits) else _DAY_KEYS if isinstance(step, Day) else _TIME_KEYS
    if len(keys) < most:
        return Partly(keys=keys)
    value = _whole(step, Partly(keys=keys), today)
    return Meant(value, step.go) if value else None


def _whole(step: Digits | Day | Hour, before: Partly, today: date) -> str:
    """The answer if nothing more comes; "" if it is none."""
    if isinstance(step, Digits):
        if before.keys:
            return before.keys if step.least <= len(before.keys) <= step.most else ""
        return _fitting(before.said, range(step.least, step.most + 1))
    if before.keys:
        keyed = keyed_day(before.keys, today, past=step.past) if isinstance(step, Day) else None
        at = keyed_time(before.keys) if isinstance(step, Hour) else None
        return keyed.isoformat() if keyed else f"{at:%H:%M}" if at else ""
    return _read(step, before.said, today)


def _read(step: Day | Hour, text: str, today: date) -> str:
    """A day as 2026-11-27, a time as 14:30; "" for neither."""
    if isinstance(step, Day):
        day = as_day(text, today, past=step.past)
        return day.isoformat() if day and ((day <= today) if step.past else (day >= today)) else ""
    at = as_time(text)
    return f"{at:%H:%M}" if at else ""


def _fitting(said: str, lengths: range) -> str:
    """The digits that were said, in the reading whose number of digits fits: "for" may be a four."""
    plain = as_digits(said)
    if len(plain) in lengths:
        return plain
    for run in runs(said, loose=True):
        found = _readings([atom.readings for atom in run.atoms], lengths)
        if fit := next((found[length] for length in lengths if length in found), ""):
            return fit
    return ""


def _readings(atoms: Sequence[Sequence[str]], lengths: range) -> Mapping[int, str]:
    """One reading for each number of digits there may be, up to the most that is wanted."""
    found = {0: ""}
    for readings in atoms:
        longer: dict[int, str] = {}
        for length, text in found.items():
            for reading in readings:
                if (size := length + len(reading)) < lengths.stop:
                    longer.setdefault(size, text + reading)
        found = longer
    return found
