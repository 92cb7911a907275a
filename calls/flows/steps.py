"""What a self-service flow is made of: its steps, and where each leads. Plain values, made by `file`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = [
    "ASKING",
    "Asked",
    "Check",
    "Day",
    "Digits",
    "Do",
    "End",
    "Flow",
    "Hour",
    "Lookup",
    "Menu",
    "Note",
    "Open",
    "Option",
    "Say",
    "Step",
    "YesNo",
]


@dataclass(frozen=True, slots=True)
class Asked:
    """How a step asks: `prompt`, before it `unclear` or `silent` when it asks again, at most `tries` times.

    Then the caller goes on `otherwise`. `wait_s` is how long an answer may take to begin, in seconds.
    """

    prompt: str
    unclear: str
    silent: str
    tries: int
    otherwise: str
    wait_s: float


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: said by one of its phrases (the first is its name) or pressed by one of its keys."""

    phrases: tuple[str, ...]
    keys: str
    go: str
    line: int

    @property
    def name(self) -> str:
        """What it is called, and what is noted when it was chosen."""
        return self.phrases[0]


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    line: int

    def ways(self) -> tuple[str, ...]:
        """Every step to which it may lead."""
        return ()

    def unasked(self) -> tuple[str, ...]:
        """Those to which it leads when the caller says nothing any more."""
        return self.ways()


@dataclass(frozen=True, slots=True)
class Say(_Step):
    """Says something and goes on."""

    text: str
    go: str

    def ways(self) -> tuple[str, ...]:
        return (self.go,)


@dataclass(frozen=True, slots=True)
class _Asking(_Step):
    asked: Asked
    fact: str  # under which the answer is noted, "" for none

    def unasked(self) -> tuple[str, ...]:
        return (self.asked.otherwise,)


@dataclass(frozen=True, slots=True)
class Menu(_Asking):
    """Asks for one of its options."""

    options: tuple[Option, ...]

    def ways(self) -> tuple[str, ...]:
        return (*(option.go for option in self.options), self.asked.otherwise)


@dataclass(frozen=True, slots=True)
class YesNo(_Asking):
    """Asks for yes (or 1) or no (or 2)."""

    yes: str
    no: str

    def ways(self) -> tuple[str, ...]:
        return (self.yes, self.no, self.asked.otherwise)


@dataclass(frozen=True, slots=True)
class _Value(_Asking):
    confirm: str  # what is said to have the answer confirmed, with {value}; "" takes it as it was heard
    go: str

    def ways(self) -> tuple[str, ...]:
        return (self.go, self.asked.otherwise)


@dataclass(frozen=True, slots=True)
class Digits(_Value):
    """Asks for so many digits."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Day(_Value):
    """Asks for a day, which lies ahead or in the past."""

    past: bool


@dataclass(frozen=True, slots=True)
class Hour(_Value):
    """Asks for a time of day."""


@dataclass(frozen=True, slots=True)
class Open(_Step):
    """Goes the one way within the opening hours, the other outside them."""

    open: str
    closed: str

    def ways(self) -> tuple[str, ...]:
        return (self.open, self.closed)


@dataclass(frozen=True, slots=True)
class Lookup(_Step):
    """Looks for the table's row whose first cell is the fact `by`."""

    table: str
    by: str
    found: str
    missing: str

    def ways(self) -> tuple[str, ...]:
        return (self.found, self.missing)


@dataclass(frozen=True, slots=True)
class Check(_Step):
    """Has the caller verified, unless they are; `otherwise` when there is nothing to compare with."""

    text: str
    ok: str
    failed: str
    otherwise: str

    def ways(self) -> tuple[str, ...]:
        return (self.ok, self.failed, self.otherwise)


@dataclass(frozen=True, slots=True)
class Do(_Step):
    """Takes an action; only a call back goes on. `day` and `time` are the facts that say when it is due."""

    text: str
    action: str
    reason: str
    day: str
    time: str
    go: str
    otherwise: str

    def ways(self) -> tuple[str, ...]:
        return (self.go, self.otherwise) if self.go else (self.otherwise,)


@dataclass(frozen=True, slots=True)
class Note(_Step):
    """Notes a fact and goes on."""

    fact: str
    value: str
    go: str

    def ways(self) -> tuple[str, ...]:
        return (self.go,)


@dataclass(frozen=True, slots=True)
class End(_Step):
    """Says goodbye and hangs up."""

    text: str


Step = Say | Menu | YesNo | Digits | Day | Hour | Open | Lookup | Check | Do | Note | End
ASKING: Final = (Menu, YesNo, Digits, Day, Hour)


@dataclass(frozen=True, slots=True)
class Flow:
    """A whole flow that was accepted; `language` is "" where it names none.

    `kinds` holds every fact it notes: digits, day, time or text; `keyed_by` says by which fact each of its
    tables is looked up.
    """

    language: str
    start: str
    steps: Mapping[str, Step]
    anywhere: tuple[Option, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    keyed_by: Mapping[str, str] = field(default_factory=dict)

    def leads(self) -> Iterator[tuple[str, str]]:
        """Every way from a step to a step; those that are open anywhere begin at the start."""
        for step in self.steps.values():
            yield from ((step.name, way) for way in step.ways())
        yield from ((self.start, option.go) for option in self.anywhere)
