"""Contacts from a file: first what would happen, line by line, then the same again and for good.

The admin's page and `manage.py import_contacts` both ask here. A line whose number is known (or, without a
number, whose name and company are) is that contact; empty cells leave what is there. All lines are judged
before the first is written; writing goes in portions, so that live calls need not wait for a long file.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils.translation import ngettext

from calls import cards, sheet
from calls.cards import Fault
from calls.events import Change, change
from calls.models import Contact, User
from calls.refusal import Refused
from calls.services import contacts

__all__ = ["COLUMNS", "Done", "Plan", "Step", "apply", "plan", "sentences"]

COLUMNS = {
    "name": frozenset({"name", "full_name", "contact"}),
    "number": frozenset({"number", "phone", "phone_number", "telephone", "e164", "tel", "mobile"}),
    "company": frozenset({"company", "organisation", "organization"}),
    "tags": frozenset({"tags", "tag"}),
    "note": frozenset({"note", "notes"}),
    "code": frozenset({"code"}),
    "born_on": frozenset({"born_on", "date_of_birth", "birthday", "dob"}),
}
"""Each column → how it may be spelled; `number` is the field e164 of a contact."""

_PORTION = 250  # lines a transaction
_log = logging.getLogger("contactcenter.contacts")
Key = tuple[str, ...]


@dataclass
class Step:
    """What becomes of one line: does is new, change, same, skip or wrong; `faults` name columns."""

    line: int
    does: str
    values: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    contact: int | None = None


@dataclass
class Plan:
    """What a file would do. With a `fault` nothing of it can be used."""

    steps: list[Step]
    notices: tuple[str, ...] = ()
    fault: str = ""

    def of(self, does: str) -> list[Step]:
        """The steps that do this."""
        return [step for step in self.steps if step.does == does]

    def writes(self) -> list[Step]:
        """The steps that change something."""
        return [step for step in self.steps if step.does in {"new", "change"}]

    def codes(self) -> int:
        """How many codes would be hashed, each in about half a second."""
        return sum(1 for step in self.writes() if step.values.get("code"))


@dataclass
class Done:
    """What was written. `late` are lines that somebody else's contact overtook meanwhile."""

    created: int = 0
    changed: int = 0
    late: list[Step] = field(default_factory=list)


def plan(*, data: bytes, update: bool, region: str, today: date) -> Plan:
    """What the file would do; nothing is written. Without `update` known contacts are left alone."""
    read = sheet.read(data, COLUMNS, needed="name")
    steps = [_judged(line, region, today) for line in read.lines]
    _refuse_doubles(steps)
    for portion in _portions([step for step in steps if not step.faults]):
        _compare(portion, update)
    return Plan(steps, read.notices, read.fault)


def apply(
    *, data: bytes, update: bool, region: str, skip_wrong: bool, by: User | None, now: datetime
) -> Done:
    """Write what `plan` tells, looked at anew. Raises Refused: nothing is written when the file cannot be
    used, or when a line is wrong and `skip_wrong` is not set.
    """
    judged = plan(data=data, update=update, region=region, today=now.date())
    wrong = judged.of("wrong")
    if judged.fault:
        raise Refused("file", judged.fault)
    if wrong and not skip_wrong:
        text = ngettext(
            "One line is wrong. Nothing was imported.",
            "%(n)s lines are wrong. Nothing was imported.",
            len(wrong),
        )
        raise Refused("file", text % {"n": f"{len(wrong):,}"})
    done = Done()
    for portion in _portions(judged.writes()):
        _hash_codes(portion)
        with change(at=now) as told:
            _write(told, portion, done, update)
    _log.info("contacts.imported", extra=_counts(done, len(wrong)))
    return done


def sentences(judged: Plan, *, limit: int) -> Iterator[str]:
    """The lines that are wrong, in words, at most `limit` of them."""
    wrong = judged.of("wrong")
    for step in wrong[:limit]:
        for fault in step.faults:
            yield f"Line {step.line}{f', {fault.field}' if fault.field else ''}: {fault.text}"
    if len(wrong) > limit:
        yield f"… and {len(wrong) - limit:,} more lines."


def _judged(line: sheet.Line, region: str, today: date) -> Step:
    if line.fault:
        return Step(line.number, "wrong", faults=[Fault("", line.fault)])
    given = {"e164" if column == "number" else column: cell for column, cell in line.cells.items() if cell}
    given.setdefault("name", "")
    values, faults = cards.tidy(given, region=region, today=today)
    named = [Fault("number" if fault.field == "e164" else fault.field, fault.text) for fault in faults]
    return Step(line.number, "wrong" if faults else "new", values, named)


def _refuse_doubles(steps: list[Step]) -> None:
    first: dict[Key, int] = {}
    for step in steps:
        if step.faults:
            continue
        before = first.setdefault(_key(step.values), step.line)
        if before != step.line:
            column, what = ("number", "number") if step.values.get("e164") else ("name", "name and company")
            step.faults.append(Fault(column, f"Line {before} has the same {what}."))
            step.does = "wrong"


def _key(values: Mapping[str, Any]) -> Key:
    """What tells contacts apart: the number, or name and company of those who have none."""
    number = values.get("e164") or ""
    return (number,) if number else ("", values["name"].casefold(), values.get("company", "").casefold())


def _compare(steps: Sequence[Step], update: bool) -> None:
    known = _known(steps)
    for step in steps:
        contact = known.get(_key(step.values))
        if contact is None:
            step.does, step.contact = "new", None
        else:
            step.contact = contact.pk
            step.does = _against(contact, step.values) if update else "skip"


def _known(steps: Sequence[Step]) -> dict[Key, Contact]:
    """The contacts that these lines are about; of several without number the oldest."""
    numbers = [step.values["e164"] for step in steps if step.values.get("e164")]
    names = [step.values["name"] for step in steps if not step.values.get("e164")]
    found = [*Contact.objects.filter(e164__in=numbers)] if numbers else []
    if names:
        found += Contact.objects.filter(e164="", name__in=names).order_by("-pk")
    return {_key({"e164": one.e164, "name": one.name, "company": one.company}): one for one in found}


def _against(contact: Contact, values: Mapping[str, Any]) -> str:
    differs = any(getattr(contact, name) != value for name, value in values.items() if name != "code")
    return "change" if differs or values.get("code") else "same"


def _hash_codes(steps: Sequence[Step]) -> None:
    """Before the transaction: half a second each would hold up everybody else."""
    for step in steps:
        if step.values.get("code"):
            step.values["code"] = make_password(step.values["code"])


def _write(told: Change, steps: Sequence[Step], done: Done, update: bool) -> None:
    _compare(steps, update)  # others write too; what they made since is theirs
    fresh = [step for step in steps if step.does == "new"]
    rows = _created(fresh, done)
    rows += _changed([step for step in steps if step.does == "change"], done)
    done.late += [
        _late(step, "Somebody else has just added this contact.") for step in steps if step.does == "skip"
    ]
    contacts.link(told, {row.e164: row.pk for row in rows if row.e164})


def _created(steps: list[Step], done: Done) -> list[Contact]:
    rows = [Contact(**step.values) for step in steps]
    try:
        with transaction.atomic():
            made = Contact.objects.bulk_create(rows)
    except IntegrityError:
        made = [row for step in steps if (row := _created_alone(step, done))]
    done.created += len(made)
    return made


def _created_alone(step: Step, done: Done) -> Contact | None:
    """One line of a portion that another's contact came into; only that line is late."""
    try:
        with transaction.atomic():
            return Contact.objects.create(**step.values)
    except IntegrityError:
        done.late.append(_late(step, "Somebody else has just added this number."))
        return None


def _changed(steps: list[Step], done: Done) -> list[Contact]:
    rows = Contact.objects.in_bulk([step.contact for step in steps])
    for step in steps:
        row = rows.get(step.contact)
        if row is None:
            done.late.append(_late(step, "Somebody else has just deleted this contact."))
            continue
        for name, value in step.values.items():
            setattr(row, name, value)
        row.save(update_fields=[*step.values])
        done.changed += 1
    return [*rows.values()]


def _late(step: Step, text: str) -> Step:
    return Step(step.line, "wrong", step.values, [Fault("number", text)])


def _portions(steps: list[Step]) -> Iterator[list[Step]]:
    return (steps[at : at + _PORTION] for at in range(0, len(steps), _PORTION))


def _counts(done: Done, wrong: int) -> dict[str, int]:
    return {"new": done.created, "changed": done.changed, "late": len(done.late), "wrong": wrong}
