"""Each kind of step, read from its fields in a flow's file. Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Final

from calls.flows.fields import Fields
from calls.flows.nodes import Scalar
from calls.flows.options import options
from calls.flows.steps import (
    Asked,
    Check,
    Day,
    Digits,
    Do,
    End,
    Hour,
    Lookup,
    Menu,
    Note,
    Open,
    Say,
    Step,
    YesNo,
)

__all__ = ["KINDS"]

_UNCLEAR: Final = "Sorry, I did not understand that."
_SILENT: Final = "I did not hear you."
_CONFIRM: Final = "{value}. Is that right?"


def _say(fields: Fields, name: str) -> Step:
    return Say(name, fields.line, fields.said("text", needed=True), fields.target("go"))


def _asked(fields: Fields) -> Asked:
    return Asked(
        fields.said("prompt", needed=True),
        fields.said("unclear", _UNCLEAR),
        fields.said("silent", _SILENT),
        fields.number("tries", 3, 1, 9),
        fields.target("otherwise"),
        fields.number("wait", 6, 2, 30),
    )


def _menu(fields: Fields, name: str) -> Step:
    return Menu(name, fields.line, _asked(fields), fields.name("fact", "a fact"), options(fields, "options"))


def _yesno(fields: Fields, name: str) -> Step:
    asked, fact = _asked(fields), fields.name("fact", "a fact")
    return YesNo(name, fields.line, asked, fact, fields.target("yes"), fields.target("no"))


def _confirm(fields: Fields) -> str:
    """What is said for `confirm: yes`, or the text that is given instead."""
    text = fields.word("confirm", "no")
    if text in ("yes", "no"):
        return _CONFIRM if text == "yes" else ""
    said = fields.said("confirm")
    if "{value}" not in said:
        fields.wrong("“confirm” is yes, no, or a text with {value}, which is what was heard.", "confirm")
    fields.texts[-1] = Scalar(said.replace("{value}", ""), fields.texts[-1].line)
    return said


def _digits(fields: Fields, name: str) -> Step:
    asked, fact = _asked(fields), fields.name("fact", "a fact", needed=True)
    text = fields.word("length", "1-20")
    found = re.fullmatch(r"([0-9]{1,2})(?:\s*[-–]\s*([0-9]{1,2}))?", text)
    least, most = (int(found[1]), int(found[2] or found[1])) if found else (1, 20)
    if not found or not 1 <= least <= most <= 30:
        fields.wrong(f"“length” is how many digits there are, such as 4 or 4-6, not “{text[:20]}”.", "length")
    return Digits(name, fields.line, asked, fact, _confirm(fields), fields.target("go"), least, most)


def _date(fields: Fields, name: str) -> Step:
    asked, fact = _asked(fields), fields.name("fact", "a fact", needed=True)
    is_past = fields.choice("lies", ("ahead", "past"), "ahead") == "past"
    return Day(name, fields.line, asked, fact, _confirm(fields), fields.target("go"), is_past)


def _time(fields: Fields, name: str) -> Step:
    asked, fact = _asked(fields), fields.name("fact", "a fact", needed=True)
    return Hour(name, fields.line, asked, fact, _confirm(fields), fields.target("go"))


def _open(fields: Fields, name: str) -> Step:
    return Open(name, fields.line, fields.target("open"), fields.target("closed"))


def _lookup(fields: Fields, name: str) -> Step:
    table, by = fields.name("table", "a table", needed=True), fields.name("by", "a fact", needed=True)
    return Lookup(name, fields.line, table, by, fields.target("found"), fields.target("missing"))


def _verify(fields: Fields, name: str) -> Step:
    ok, failed = fields.target("ok"), fields.target("failed")
    otherwise = fields.target("otherwise", needed=False, default=failed)
    return Check(name, fields.line, fields.said("text"), ok, failed, otherwise)


def _do(fields: Fields, name: str) -> Step:
    action, reason = fields.name("action", "an action", needed=True), fields.said("reason")
    day, time = fields.name("day", "a fact"), fields.name("time", "a fact")
    if bool(day) != bool(time):
        fields.wrong(f"{fields.what} needs both “day” and “time”, the facts that say when it is due.")
    go, otherwise = fields.target("go", needed=False), fields.target("otherwise")
    return Do(name, fields.line, fields.said("text"), action, reason, day, time, go, otherwise)


def _fact(fields: Fields, name: str) -> Step:
    fact, value = fields.name("fact", "a fact", needed=True), fields.said("value", needed=True)
    return Note(name, fields.line, fact, value, fields.target("go"))


def _end(fields: Fields, name: str) -> Step:
    return End(name, fields.line, fields.said("text", needed=True))


KINDS: Final[Mapping[str, Callable[[Fields, str], Step]]] = {
    "say": _say,
    "menu": _menu,
    "yesno": _yesno,
    "digits": _digits,
    "date": _date,
    "time": _time,
    "open": _open,
    "lookup": _lookup,
    "verify": _verify,
    "do": _do,
    "fact": _fact,
    "end": _end,
}
