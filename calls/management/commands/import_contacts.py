"""manage.py import_contacts: contacts from a CSV file, dry run first."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from calls import audit
from calls.refusal import Refused
from calls.services import contacts, importing
from calls.services.importing import Plan
from calls.sheet import MAX_BYTES
from calls.telephones import is_country

_WRONG_SHOWN = 200


class Command(BaseCommand):
    help = "Import contacts from a CSV file. Without --apply it only tells what would happen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="columns: name, number, company, tags, note, code, born_on")
        parser.add_argument("--apply", action="store_true", help="import; else nothing is written")
        parser.add_argument("--update", action="store_true", help="change contacts that are known already")
        parser.add_argument("--skip-wrong", action="store_true", help="import the other lines all the same")
        parser.add_argument(
            "--region", default="", help="country of numbers without country code, such as GB"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        data = _bytes(options["file"])
        how = {"update": options["update"], "region": _region(options["region"])}
        judged = importing.plan(data=data, today=timezone.now().date(), **how)
        if judged.fault:
            raise CommandError(judged.fault)
        self._tell(judged)
        is_wrong = bool(judged.of("wrong")) and not options["skip_wrong"]
        late = 0
        if options["apply"] and not is_wrong:
            late = self._apply(data, how, options["skip_wrong"])
        else:
            self._tell_next(judged, options)
        if judged.of("wrong") or late:
            sys.exit(1)

    def _apply(self, data: bytes, how: dict[str, Any], skip_wrong: bool) -> int:
        try:
            done = importing.apply(data=data, **how, skip_wrong=skip_wrong, by=None, now=timezone.now())
        except Refused as refusal:
            raise CommandError(refusal.text) from None
        audit.record(who=None, what="contacts.import", on=f"{done.created} new, {done.changed} changed")
        for step in done.late:
            self.stderr.write(f"Line {step.line}: {step.faults[0].text} It was left out.")
        self.stdout.write(f"Imported: {done.created:,} new, {done.changed:,} changed.")
        return len(done.late)

    def _tell(self, judged: Plan) -> None:
        for notice in judged.notices:
            self.stdout.write(notice)
        for sentence in importing.sentences(judged, limit=_WRONG_SHOWN):
            self.stderr.write(sentence)
        counts = {does: len(judged.of(does)) for does in ("new", "change", "same", "skip", "wrong")}
        self.stdout.write(
            "Lines: {new:,} new, {change:,} to change, {same:,} the same already, "
            "{skip:,} known and left alone, {wrong:,} wrong.".format(**counts)
        )

    def _tell_next(self, judged: Plan, options: dict[str, Any]) -> None:
        if judged.of("wrong") and not options["skip_wrong"]:
            self.stdout.write(
                "Nothing was imported. Mend the lines above, or add --skip-wrong to leave them out."
            )
        elif not judged.writes():
            self.stdout.write("There is nothing to import." + ("" if options["update"] else _HINT))
        else:
            wait = f" Hashing {judged.codes():,} codes takes half a second each." if judged.codes() else ""
            self.stdout.write(f"Nothing was imported yet. Add --apply to import.{wait}")


_HINT = " Add --update to change contacts that are known already."


def _bytes(name: str) -> bytes:
    """The file's bytes, one more than are taken if it is too large."""
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from None


def _region(given: str) -> str:
    region = given.upper()
    if region and not is_country(region):
        raise CommandError(f"{given} is no country. Give two letters, such as GB or NL.")
    return region or contacts.default_region()
