"""A self-service flow as people write it: text → Flow, or FlowError with every line that is wrong and why.

Pure. docs/voices.md says the language; `steps` what a flow is made of, `walk` how one is walked through.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from calls.flows import graph, options
from calls.flows.fields import NAME, PLACE, Fields, Problems, like
from calls.flows.kinds import KINDS
from calls.flows.nodes import Mapped, Scalar, Wrong, read
from calls.flows.steps import Day, Digits, Do, End, Flow, Hour, Lookup, Menu, Note, Option, Step, YesNo

__all__ = ["BUILT_IN", "CALLBACK", "FlowError", "parse"]

CALLBACK: Final = "callback"
"""The one kind of action after which a flow goes on."""
MAX_STEPS: Final = 150
MAX_FACTS: Final = 25
BUILT_IN: Final = frozenset({"caller", "opens"})
"""Names in texts that no step notes: the contact's name, and when we open."""
_RESERVED: Final = BUILT_IN | {"value", "reason"}

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}")
_KEYS_TO_TWILIO: Final = frozenset({"dtmf", "keys", "press", "send", "send_digits", "send_dtmf", "send_keys"})
_NO_KEYS: Final = "Media Streams cannot send keys: Twilio takes media, mark and clear only."
_ENGLISH_ONLY: Final = ("yesno", "digits", "date", "time")


class FlowError(ValueError):
    """The file is refused: `line` and `reason` of the first problem, `problems` all of them by line."""

    def __init__(self, problems: Sequence[tuple[int, str]]) -> None:
        self.problems = tuple(sorted(problems))
        self.line, self.reason = self.problems[0]
        super().__init__("\n".join(f"Line {line}: {reason}" for line, reason in self.problems))


def parse(
    text: str,
    *,
    actions: Mapping[str, str] | None = None,
    tables: Mapping[str, Sequence[str]] | None = None,
) -> Flow:
    """The flow that a file describes. Raises FlowError.

    `actions` are the voice's, name → kind, and `tables` its tables, name → columns; None: not checked.
    """
    problems = Problems()
    try:
        top = Fields(read(text), "The flow", 1, problems)
    except Wrong as wrong:
        raise FlowError([(wrong.line, wrong.reason)]) from None
    flow = _File(top, problems, actions, tables).flow()
    if not problems.found:
        for line, reason in graph.faults(flow):
            problems.add(line, reason)
    if problems.found:
        raise FlowError(sorted(problems.found))
    return flow


_FACT_KINDS: Final = {Digits: "digits", Day: "day", Hour: "time"}


class _File:
    """One file while it is read."""

    def __init__(
        self,
        top: Fields,
        problems: Problems,
        actions: Mapping[str, str] | None,
        tables: Mapping[str, Sequence[str]] | None,
    ) -> None:
        self.top = top
        self.problems = problems
        self.actions = actions
        self.tables = tables
        self.steps: dict[str, Step] = {}
        self.texts: list[Scalar] = []
        self.targets: list[Scalar] = []
        self.kinds: dict[str, str] = {}
        self.keyed_by: dict[str, str] = {}

    def flow(self) -> Flow:
        """The flow, as far as it could be read; what is wrong was told."""
        language = self.top.word("language")
        if language and not _LANGUAGE.fullmatch(language):
            self.top.wrong(f"“{language[:20]}” is no language such as en-GB.", "language")
        anywhere = options.options(self.top, "anywhere", anywhere=True)
        self._read_steps(language)
        start = self.top.target("start", needed=False, default=next(iter(self.steps), ""))
        self._keep(self.top)
        self.top.done()
        for step in self.steps.values():
            self._check(step, anywhere)
        self._check_texts()
        self._check_targets()
        return Flow(language, start, self.steps, anywhere, self.kinds, self.keyed_by)

    def _read_steps(self, language: str) -> None:
        held = self.top.value("steps")
        if not isinstance(held, Mapped) or not held.entries:
            self.top.wrong("The flow has no steps.", "steps")
            return
        if len(held.entries) > MAX_STEPS:
            self.top.wrong(f"A flow has at most {MAX_STEPS} steps.", "steps")
        for key, value in held.entries[:MAX_STEPS]:
            if not NAME.fullmatch(key.text):
                reason = f"“{key.text[:40]}” is no name of a step: small letters, digits and _."
                self.problems.add(key.line, reason)
            elif key.text in self.steps:
                self.problems.add(key.line, f"There are two steps “{key.text}”.")
            else:
                fields = Fields(value, f"The step “{key.text}”", key.line, self.problems)
                fields.line = key.line
                self.steps[key.text] = End(key.text, key.line, "")
                if isinstance(value, Mapped):
                    self._read_step(key.text, fields, language)

    def _read_step(self, name: str, fields: Fields, language: str) -> None:
        kind = fields.word("kind", needed=True)
        if kind in _KEYS_TO_TWILIO:
            fields.wrong(_NO_KEYS, "kind")
        elif kind and kind not in KINDS:
            fields.wrong(f"There is no kind “{kind[:40]}”.{like(kind, KINDS)}", "kind")
        if kind in _ENGLISH_ONLY and language and not language.startswith("en"):
            fields.wrong(f"“{kind}” is understood in English only; this flow speaks {language}.", "kind")
        # A step of no known kind stays what it was made as, so that who leads to it is not told as well.
        if kind in KINDS:
            self.steps[name] = KINDS[kind](fields, name)
            fields.done(_refused)
        self._keep(fields)

    def _keep(self, fields: Fields) -> None:
        self.texts += fields.texts
        self.targets += fields.targets

    def _check(self, step: Step, anywhere: Sequence[Option]) -> None:
        """What a step needs beside its own fields."""
        for fact, kind in _facts(step):
            if fact in _RESERVED:
                self.problems.add(step.line, f"“{fact}” has a meaning of its own. Name the fact otherwise.")
            if self.kinds.setdefault(fact, kind) != kind:
                reason = f"The fact “{fact}” is {self.kinds[fact]} elsewhere and {kind} here."
                self.problems.add(step.line, reason)
        if len(self.kinds) > MAX_FACTS:
            self.problems.add(step.line, f"A flow notes at most {MAX_FACTS} facts.")
        if isinstance(step, Menu):
            options.check_against(step.options, anywhere, self.problems)
        elif isinstance(step, Do):
            self._check_action(step)
        elif isinstance(step, Lookup):
            self._check_lookup(step)

    def _check_action(self, step: Do) -> None:
        kind = (self.actions or {}).get(step.action, "")
        if step.action and self.actions is not None and not kind:
            reason = f"The voice has no action “{step.action}”.{like(step.action, self.actions)}"
            self.problems.add(step.line, reason)
        if kind == CALLBACK and not step.go:
            self.problems.add(
                step.line, f"“{step.action}” does not end the call: say with “go” what is next."
            )
        if kind and kind != CALLBACK and step.go:
            self.problems.add(step.line, f"Nothing follows “{step.action}”: the call leaves the flow.")
        if kind and kind != CALLBACK and step.day:
            self.problems.add(step.line, f"“{step.action}” is done at once; only a call back has a day.")

    def _check_lookup(self, step: Lookup) -> None:
        if not step.table:
            return
        if self.tables is not None and step.table not in self.tables:
            reason = f"The voice has no table “{step.table}”.{like(step.table, self.tables)}"
            self.problems.add(step.line, reason)
        if self.keyed_by.setdefault(step.table, step.by) != step.by:
            reason = f"“{step.table}” is looked up by “{self.keyed_by[step.table]}” elsewhere: use the same."
            self.problems.add(step.line, reason)

    def _check_texts(self) -> None:
        """Every {place} in a text, and every fact that a step goes by."""
        for text in self.texts:
            for found in PLACE.finditer(text.text):
                if reason := self._unknown(found[1], found[2] or ""):
                    self.problems.add(text.line, reason)
            if re.search(r"[{}]", PLACE.sub("", text.text)):
                self.problems.add(text.line, "{ and } stand around the name of a fact only, such as {order}.")
        for step in self.steps.values():
            for fact, kind in _needs(step):
                held = self.kinds.get(fact, "")
                if not held:
                    reason = f"No step notes the fact “{fact}”.{like(fact, self.kinds)}"
                    self.problems.add(step.line, reason)
                elif kind and held != kind:
                    self.problems.add(step.line, f"The fact “{fact}” is {held}; here a {kind} is needed.")

    def _unknown(self, name: str, column: str) -> str:
        """Why {name} or {name.column} stands for nothing; "" when it does."""
        if not column:
            known = {*self.kinds, *BUILT_IN}
            return "" if name in known else f"No step notes the fact “{name}”.{like(name, known)}"
        if name not in self.keyed_by:
            return f"No step looks anything up in “{name}”.{like(name, self.keyed_by)}"
        columns = (self.tables or {}).get(name, ())
        if self.tables is None or name not in self.tables or column in columns:
            return ""
        return f"The table “{name}” has no column “{column}”.{like(column, columns)}"

    def _check_targets(self) -> None:
        for target in self.targets:
            if target.text not in self.steps:
                reason = f"There is no step “{target.text[:40]}”.{like(target.text, self.steps)}"
                self.problems.add(target.line, reason)


def _facts(step: Step) -> Iterator[tuple[str, str]]:
    """The fact that a step notes, and what it is."""
    if isinstance(step, Digits | Day | Hour | Menu | YesNo | Note) and step.fact:
        yield step.fact, _FACT_KINDS.get(type(step), "text")


def _needs(step: Step) -> Iterator[tuple[str, str]]:
    """The facts that a step goes by, and what they must be ("": anything)."""
    if isinstance(step, Lookup) and step.by:
        yield step.by, ""
    elif isinstance(step, Do) and step.day and step.time:
        yield step.day, "day"
        yield step.time, "time"


def _refused(field: str) -> str:
    """Why a field is refused, if there is more to say than that it is not known."""
    return _NO_KEYS if field in _KEYS_TO_TWILIO else ""
