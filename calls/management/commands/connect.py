"""manage.py connect: let a Twilio number send its calls here."""

import shlex
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from calls.gateway import numbers as gateway
from calls.gateway.client import GatewayError
from calls.gateway.numbers import FIELDS, NumberFacts
from calls.models import PhoneNumber, Region
from calls.services import numbers
from calls.services.numbers import Difference

RESTARTS = (
    "Twilio will call {url}, but this site is set up for {set}. Put PUBLIC_URL={url} into .env and restart."
)


class Command(BaseCommand):
    help = "Set a Twilio number's voice, fallback and status addresses to this site; prints how to undo it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="E.164, such as +31201234567")
        parser.add_argument("--url", default="", help="public address, if not PUBLIC_URL")
        parser.add_argument("--label", default="", help="of a number that is new here (Twilio's name)")
        parser.add_argument("--region", choices=Region.values, default="", help="of a new number (us1)")
        parser.add_argument("--forward-to", default="", help="telephone to dial, for a new number")
        parser.add_argument("--dry-run", action="store_true", help="only show what differs")
        parser.add_argument(
            "--set", action="append", default=[], metavar="FIELD=VALUE", help="put back what was before"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._connect(options)
        except (GatewayError, numbers.NotOurs) as error:
            raise CommandError(str(error)) from None

    def _connect(self, options: dict[str, Any]) -> None:
        number = _row(options)
        before = _at_twilio(number)
        if options["set"]:
            gateway.update(region=number.region, sid=before.sid, fields=_fields(options["set"]))
            self.stdout.write(f"{number.e164} is as it was told to be.")
            return
        url = self._public_url(options["url"])
        number.label = number.label or before.label or number.e164
        differences = _differences(before) if options["dry_run"] else self._save_and_set(number)
        self._tell(differences, before)
        if differences and not options["dry_run"]:
            self._tell_next(number, before, differences, url)

    def _public_url(self, given: str) -> str:
        """The address to set; one that is not PUBLIC_URL holds for this command alone, and we say so."""
        url = given.rstrip("/") or settings.PUBLIC_URL
        if not url.startswith("https://") and not (settings.TWILIO_API_URL and url.startswith("http://")):
            raise CommandError("Give the public address: --url https://… (or set PUBLIC_URL).")
        if url != settings.PUBLIC_URL:
            self.stdout.write(RESTARTS.format(url=url, set=settings.PUBLIC_URL or "no address"))
            settings.PUBLIC_URL = url
        return url

    def _save_and_set(self, number: PhoneNumber) -> list[Difference]:
        if number.pk is None:
            number.save()
            self.stdout.write(f"{number} is new here: {number.get_destination_display().lower()}.")
        return numbers.connect(number)

    def _tell(self, differences: list[Difference], before: NumberFacts) -> None:
        if not differences:
            self.stdout.write(f"{before.e164} already sends its calls here. Next: manage.py doctor")
        for one in differences:
            self.stdout.write(f"  {one.field}: {one.found or '(empty)'} → {one.wanted or '(empty)'}")

    def _tell_next(
        self, number: PhoneNumber, before: NumberFacts, differences: list[Difference], url: str
    ) -> None:
        back = " ".join(f"--set {shlex.quote(f'{one.field}={one.found}')}" for one in differences)
        self.stdout.write(f"{number.e164} now sends its calls to {url}. To undo it:")
        self.stdout.write(f"  manage.py connect {number.e164} {back}")
        self.stdout.write("Next: manage.py doctor, then call the number.")


def _row(options: dict[str, Any]) -> PhoneNumber:
    """The number's row; one that is new here is not saved yet, and streams without dialling anyone."""
    e164 = options["number"]
    if not e164.startswith("+") or not e164[1:].isdigit() or not 8 <= len(e164) <= 16:
        raise CommandError("Give the number in E.164, such as +31201234567.")
    known = PhoneNumber.objects.filter(e164=e164).first()
    if known:
        return known
    forward_to = options["forward_to"]
    return PhoneNumber(
        e164=e164,
        label=options["label"],
        region=options["region"] or Region.US1,
        destination=PhoneNumber.Destination.PHONE if forward_to else PhoneNumber.Destination.TAP,
        forward_to=forward_to,
    )


def _at_twilio(number: PhoneNumber) -> NumberFacts:
    found = gateway.find(region=number.region, e164=number.e164)
    if found is None:
        raise numbers.NotOurs(
            f"The account {settings.TWILIO_ACCOUNT_SID} has no number {number.e164} in {number.region}. "
            "Check the number and the account; a number of Ireland or Australia needs --region."
        )
    return found


def _differences(before: NumberFacts) -> list[Difference]:
    """What would be set; nothing is written, not even that it was looked at."""
    wanted = numbers.expected().items()
    found = {name: before.fields.get(name, "") for name, _ in wanted}
    return [Difference(name, right, found[name]) for name, right in wanted if found[name] != right]


def _fields(told: list[str]) -> dict[str, str]:
    fields = dict(one.partition("=")[::2] for one in told)
    if unknown := set(fields) - set(FIELDS):
        raise CommandError(f"No such field: {', '.join(sorted(unknown))}. Known: {', '.join(FIELDS)}.")
    return fields
