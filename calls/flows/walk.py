"""A walk through a self-service flow: what was heard → what to say, to wait for and to do. Pure, no clock.

`begin` makes the first State, `step` a Move from a State and what was heard. Who walks says the move's text,
notes its facts, then does its deed, or listens for `wait_s`, or goes on at once; and comes back with what
came of it. A caller who falls silent comes to an end: `graph` refuses flows in which one would not.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from calls.briefing import Briefing
from calls.flows.answers import Asking, Meant, Partly, phrases, understand
from calls.flows.steps import (
    ASKING,
    Check,
    Day,
    Digits,
    Do,
    End,
    Flow,
    Hour,
    Lookup,
    Menu,
    Note,
    Open,
    Say,
    Step,
    YesNo,
)
from calls.flows.texts import Texts
from calls.matching import best, exact, yes_or_no

__all__ = [
    "Act",
    "Denied",
    "Finish",
    "Heard",
    "Move",
    "Onward",
    "Pressed",
    "Quiet",
    "Spoke",
    "State",
    "Verify",
    "begin",
    "step",
]

_MORE_S: Final = 2.5  # after digits that may go on


@dataclass(frozen=True, slots=True)
class Spoke:
    """The caller said this."""

    text: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """The caller pressed this key."""

    key: str


@dataclass(frozen=True, slots=True)
class Quiet:
    """Nothing came in the time that was waited."""


@dataclass(frozen=True, slots=True)
class Onward:
    """What was to be said was heard, or what was to be done is done: go on."""


@dataclass(frozen=True, slots=True)
class Denied:
    """What was to be done is not possible."""


Heard = Spoke | Pressed | Quiet | Onward | Denied


@dataclass(frozen=True, slots=True)
class Act:
    """Take this action. `due` is ISO 8601 with its offset, or nothing."""

    action: str
    reason: str
    due: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Have the caller verified, and come back at one of the two."""

    ok: str
    failed: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Hang up, once the text was said."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a walk is. `asked`: the step's text was said; `tries`: how often an answer was none;
    `partly`: an answer that may go on; `value`: one that was read back and waits for a yes.
    """

    step: str
    facts: Mapping[str, str] = field(default_factory=dict)
    asked: bool = False
    tries: int = 0
    partly: Partly = field(default_factory=Partly)
    value: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """What to do now: note `facts`, say `say`, then the deed or listening for `wait_s`; neither: go on.

    `decides`: yes or no is asked, and what was said before the question does not answer it.
    """

    state: State
    say: str = ""
    wait_s: float | None = None
    deed: Act | Verify | Finish | None = None
    facts: tuple[tuple[str, str], ...] = ()
    decides: bool = False


def begin(flow: Flow, about: Briefing) -> State:
    """Where this call begins, or goes on. Raises LookupError when the flow has no such place any more."""
    at = about.at or flow.start
    if at not in flow.steps:
        raise LookupError(f"The flow has no step {at!r} any more.")
    return State(at, {name: value for name, value in about.facts.items() if name in flow.kinds})


def step(flow: Flow, state: State, heard: Heard, *, about: Briefing, now: datetime) -> Move:
    """The next move. Raises LookupError for a place that the flow does not have."""
    return _Walk(flow, about, now, dict(state.facts)).move(state, heard)


class _Walk:
    """One move; `facts` are the call's, `noted` those that the move adds."""

    def __init__(self, flow: Flow, about: Briefing, now: datetime, facts: dict[str, str]) -> None:
        self.flow = flow
        self.about = about
        self.now = now.astimezone(ZoneInfo(about.zone))
        self.facts = facts
        self.noted: dict[str, str] = {}
        self.texts = Texts(flow, about, self.now, facts)

    def move(self, state: State, heard: Heard) -> Move:
        here = self._at(state.step)
        if isinstance(heard, Denied):
            return self._enter(here.otherwise if isinstance(here, Do | Check) else "", Onward())
        if away := self._away(here, state, heard):
            return self._enter(away, Onward())
        if not state.asked:
            return self._enter(state.step, heard)
        if isinstance(here, ASKING):
            return self._answer(here, state, heard)
        return self._enter(here.go if isinstance(here, Say | Do) else "", heard)

    def _at(self, name: str) -> Step:
        if name not in self.flow.steps:
            raise LookupError(f"The flow has no step {name!r}.")
        return self.flow.steps[name]

    def _away(self, here: Step, state: State, heard: Heard) -> str:
        """Where to what was heard leads from anywhere; "" when it does not."""
        anywhere = self.flow.anywhere
        if isinstance(heard, Pressed):
            is_digit = isinstance(here, Digits | Day | Hour) and not state.value and heard.key.isdecimal()
            return next((one.go for one in anywhere if one.keys == heard.key and not is_digit), "")
        if not isinstance(heard, Spoke):
            return ""
        if isinstance(here, Menu):
            name = best(heard.text, {**phrases(anywhere), **phrases(here.options)})
        elif isinstance(here, Say):
            name = best(heard.text, phrases(anywhere))
        else:
            name = exact(heard.text, phrases(anywhere))
        return next((one.go for one in anywhere if one.name == name), "")

    # -- coming to a step ---------------------------------------------------------------------------

    def _enter(self, name: str, heard: Heard) -> Move:
        """Come to a step, and through those that neither say nor ask. What was heard may answer it already:
        somebody who knows the way does not wait to be asked.
        """
        here = self._at(name)
        for _ in self.flow.steps:
            onward = self._through(here)
            if not onward:
                break
            here = self._at(onward)
        if isinstance(here, ASKING):
            return self._early(here, heard) or self._ask(here, here.asked.prompt)
        if isinstance(here, Say):
            return self._made(State(here.name, asked=True), here.text)
        if isinstance(here, Do):
            act = Act(here.action, self.texts.told(here.reason, spoken=False), self.texts.due(here))
            return self._made(State(here.name, asked=True), here.text, deed=act)
        if isinstance(here, Check):
            return self._made(State(here.name, asked=True), here.text, deed=Verify(here.ok, here.failed))
        return self._made(
            State(here.name, asked=True), here.text if isinstance(here, End) else "", deed=Finish()
        )

    def _through(self, here: Step) -> str:
        """The next step, of one that neither says nor asks anything; else ""."""
        if isinstance(here, Note):
            self._note(here.fact, self.texts.told(here.value, spoken=False))
            return here.go
        if isinstance(here, Open):
            return here.open if self.about.is_open(self.now) else here.closed
        if isinstance(here, Lookup):
            return here.found if self.texts.row(here.table) else here.missing
        return here.ok if isinstance(here, Check) and self.about.verified == "yes" else ""

    def _early(self, here: Asking, heard: Heard) -> Move | None:
        if not isinstance(heard, Spoke | Pressed):
            return None
        meant = self._meant(here, Partly(), heard)
        if isinstance(meant, Meant):
            return self._accept(here, State(here.name, asked=True), meant)
        if isinstance(meant, Partly):
            return self._more(State(here.name, asked=True), meant)
        return None

    # -- answers ------------------------------------------------------------------------------------

    def _answer(self, here: Asking, state: State, heard: Heard) -> Move:
        if state.value and isinstance(here, Digits | Day | Hour):
            return self._confirmed(here, state, heard)
        has_more = bool(state.partly.keys or (state.partly.said and isinstance(here, Digits)))
        if isinstance(heard, Quiet | Onward) and not has_more:
            return self._again(here, state, here.asked.silent, heard)
        meant = self._meant(here, state.partly, heard)
        if isinstance(meant, Meant):
            return self._accept(here, state, meant)
        if isinstance(meant, Partly):
            return self._more(state, meant)
        return self._again(here, state, here.asked.unclear, heard)

    def _meant(self, here: Asking, before: Partly, heard: Heard) -> Meant | Partly | None:
        said = heard.text if isinstance(heard, Spoke) else ""
        key = heard.key if isinstance(heard, Pressed) else ""
        return understand(here, before, said=said, key=key, today=self.now.date())

    def _accept(self, here: Asking, state: State, meant: Meant) -> Move:
        if isinstance(here, Digits | Day | Hour) and here.confirm:
            return self._read_back(here, replace(state, value=meant.value, partly=Partly()))
        if here.fact:
            self._note(here.fact, meant.value)
        return self._enter(meant.go, Onward())

    def _read_back(self, here: Digits | Day | Hour, state: State) -> Move:
        text = here.confirm.replace("{value}", self.texts.said(state.value, _kind(here)))
        move = self._made(state, text[:1].upper() + text[1:], wait_s=here.asked.wait_s)
        return replace(move, decides=True)

    def _confirmed(self, here: Digits | Day | Hour, state: State, heard: Heard) -> Move:
        """Yes takes the value, no asks anew; another value said in its place is read back in its turn."""
        answer: bool | None = None
        if isinstance(heard, Pressed):
            answer = {"1": True, "2": False}.get(heard.key)
        elif isinstance(heard, Spoke):
            answer = yes_or_no(heard.text)
            meant = None if answer else self._meant(here, Partly(), heard)
            if isinstance(meant, Meant) and meant.value != state.value:
                return self._again(here, replace(state, value=meant.value), "", heard)
        if answer:
            return self._accept(replace(here, confirm=""), state, Meant(state.value, here.go))
        if answer is False:
            return self._again(here, replace(state, value=""), "", heard)
        silent = isinstance(heard, Quiet | Onward)
        return self._again(here, state, here.asked.silent if silent else here.asked.unclear, heard)

    def _again(self, here: Asking, state: State, first: str, heard: Heard) -> Move:
        """Ask once more, or give up; unless it was nearly one of the phrases that work anywhere."""
        if isinstance(heard, Spoke):
            name = best(heard.text, phrases(self.flow.anywhere))
            if away := next((one.go for one in self.flow.anywhere if one.name == name), ""):
                return self._enter(away, Onward())
        tries = state.tries + 1
        if tries >= here.asked.tries:
            return self._enter(here.asked.otherwise, Onward())
        if state.value and isinstance(here, Digits | Day | Hour):
            return self._with(first, self._read_back(here, replace(state, tries=tries)))
        kept = heard.text if isinstance(heard, Spoke) and isinstance(here, Day | Hour) else ""
        return self._with(first, self._ask(here, here.asked.prompt, tries, kept))

    def _with(self, first: str, move: Move) -> Move:
        return replace(move, say=f"{self.texts.told(first)} {move.say}".strip())

    def _ask(self, here: Asking, text: str, tries: int = 0, said: str = "") -> Move:
        state = State(here.name, asked=True, tries=tries, partly=Partly(said=said))
        move = self._made(state, text, wait_s=here.asked.wait_s)
        return replace(move, decides=isinstance(here, YesNo))

    def _more(self, state: State, partly: Partly) -> Move:
        return self._made(replace(state, partly=partly), "", wait_s=_MORE_S)

    # -- moves and facts ----------------------------------------------------------------------------

    def _made(
        self,
        state: State,
        text: str,
        *,
        wait_s: float | None = None,
        deed: Act | Verify | Finish | None = None,
    ) -> Move:
        state = replace(state, facts=dict(self.facts))
        return Move(state, self.texts.told(text), wait_s, deed, tuple(self.noted.items()))

    def _note(self, fact: str, value: str) -> None:
        self.facts[fact] = self.noted[fact] = value


def _kind(here: Digits | Day | Hour) -> str:
    return "digits" if isinstance(here, Digits) else "day" if isinstance(here, Day) else "time"
