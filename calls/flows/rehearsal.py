"""A flow tried on text: what a caller would hear and what would be done, with no call and no effect. Pure.

Each input is one thing that the caller does: keys when it holds only keys, silence when it is empty, else
words, which go on in the next when they end in "...". Where the caller would be verified, "ok" passes and
anything else fails.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal

from calls.briefing import Briefing
from calls.flows.file import CALLBACK
from calls.flows.steps import Flow
from calls.flows.walk import (
    Act,
    Denied,
    Finish,
    Heard,
    Move,
    Onward,
    Pressed,
    Quiet,
    Spoke,
    State,
    Verify,
    begin,
    step,
)

__all__ = ["MAX_INPUTS", "PASSED", "Line", "Rehearsal", "heard", "rehearse"]

MAX_INPUTS: Final = 60
PASSED: Final = "ok"
GOES_ON: Final = "..."
_ASK: Final = "ask for the code or date of birth, where no stream hears it"
_MOST_MOVES: Final = 2000
_KEYS: Final = frozenset("0123456789*#")

Who = Literal["voice", "caller", "would"]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation: who, what, and in which step."""

    who: Who
    text: str
    step: str


@dataclass(slots=True)
class Rehearsal:
    """The conversation so far; `wants` is what is waited for: words, a verification, or nothing any more."""

    lines: list[Line] = field(default_factory=list)
    step: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    wants: Literal["words", "verification", ""] = "words"


def heard(typed: str) -> list[Heard]:
    """What somebody typed in the caller's place."""
    typed = typed.strip()
    if not typed:
        return [Quiet()]
    if set(typed) <= _KEYS:
        return [Pressed(key) for key in typed]
    return [Spoke(typed)]


def rehearse(
    flow: Flow, about: Briefing, inputs: Sequence[str], *, actions: Mapping[str, str], now: datetime
) -> Rehearsal:
    """Walk the flow with these inputs. `actions` are the voice's, name → kind; others are refused."""
    stage = _Stage(flow, about, actions, now)
    coming = iter(inputs[:MAX_INPUTS])
    move = stage.step(Onward())
    for _ in range(_MOST_MOVES):
        heard_next = stage.play(move, coming)
        if heard_next is None:
            break
        move = stage.hear(heard_next)
    return stage.shown


class _Stage:
    """Where the rehearsal is played."""

    def __init__(self, flow: Flow, about: Briefing, actions: Mapping[str, str], now: datetime) -> None:
        self.flow = flow
        self.about = about
        self.actions = actions
        self.now = now
        self.state: State = begin(flow, about)
        self.shown = Rehearsal(step=self.state.step)
        self._goes_on = False

    def step(self, one: Heard) -> Move:
        move = step(self.flow, self.state, one, about=self.about, now=self.now)
        self.state = move.state
        self.shown.step, self.shown.facts = move.state.step, move.state.facts
        if move.say:
            self._tell("voice", move.say)
        return move

    def hear(self, all_of_it: Sequence[Heard]) -> Move:
        """What comes of one input; keys beyond an answer are lost, as on a call they are to a text."""
        for one in all_of_it:
            move = self.step(one)
            if move.deed or move.wait_s is None:
                return move
        is_partly = not move.say and not self._goes_on
        return self.step(Quiet()) if is_partly else move

    def play(self, move: Move, coming: Iterator[str]) -> Sequence[Heard] | None:
        """What comes of a move; None when the conversation is over or waits for an input."""
        if move.deed is None:
            return [Onward()] if move.wait_s is None else self._next(coming)
        if isinstance(move.deed, Finish):
            self._tell("would", "hang up")
            self.shown.wants = ""
            return None
        if isinstance(move.deed, Verify):
            return self._verify(move.deed, coming)
        return self._act(move.deed)

    def _next(self, coming: Iterator[str]) -> Sequence[Heard] | None:
        self.shown.wants = "words"
        typed = next(coming, None)
        if typed is None:
            return None
        self._tell("caller", typed.strip() or "(silence)")
        self._goes_on = typed.rstrip().endswith(GOES_ON)
        return heard(typed)

    def _verify(self, deed: Verify, coming: Iterator[str]) -> Sequence[Heard] | None:
        if not self.about.may_verify:
            self._tell("would", "verify: there is nothing to compare with")
            return [Denied()]
        self.shown.wants = "verification"
        typed = next(coming, None)
        if typed is None:
            self._tell("would", _ASK)
            return None
        is_ok = typed.strip().lower() == PASSED
        assumed = f"right, for “{PASSED}”" if is_ok else f"wrong, for something else than “{PASSED}”"
        self._tell("would", f"{_ASK}; assumed: it is {assumed} was typed")
        self.about = replace(self.about, verified="yes" if is_ok else "no")
        self.state = State(deed.ok if is_ok else deed.failed, self.state.facts)
        return [Onward()]

    def _act(self, deed: Act) -> Sequence[Heard] | None:
        kind = self.actions.get(deed.action)
        told = [f"do “{deed.action}”" + (f" ({kind})" if kind else ": the voice has no such action")]
        told += [f"reason: {deed.reason}"] if deed.reason else []
        told += [f"due: {deed.due}"] if deed.due else []
        self._tell("would", ", ".join(told))
        if kind is None:
            return [Denied()]
        if kind == CALLBACK:
            return [Onward()]
        self.shown.wants = ""
        return None

    def _tell(self, who: Who, text: str) -> None:
        self.shown.lines.append(Line(who, text, self.shown.step))
