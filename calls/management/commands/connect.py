"""manage.py connect: let a Twilio number send its calls here."""

import shlex
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from calls.gateway import numbers as gateway
from calls.gateway import routes
from calls.gateway.client import GatewayError
from calls.gateway.numbers import FIELDS
from calls.models import PhoneNumber, Region
from calls.services import numbers
from calls.services.numbers import INBOUND_REGION, Difference, Found
from calls.telephones import telephone

RESTARTS = (
    "Twilio will call {url}, but this site is set up for {set}. Put PUBLIC_URL={url} into .env and restart."
)
MOVES = "Twilio takes up to five minutes to process its calls in {region}; until then they come as before."


class Command(BaseCommand):
    help = (
        "Set a Twilio number's voice, fallback and status addresses to this site, and the region that "
        "processes its calls; prints how to undo it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", help="E.164, such as +31201234567")
        parser.add_argument("--url", default="", help="public address, if not PUBLIC_URL")
        parser.add_argument("--label", default="", help="of a number that is new here (Twilio's name)")
        parser.add_argument(
            "--region", choices=Region.values, default="", help="where its calls are processed (as now; us1)"
        )
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
        if options["set"]:
            _put_back(number, _fields(options["set"]))
            self.stdout.write(f"{number.e164} is as it was told to be.")
            return
        url = self._public_url(options["url"])
        before, differences = numbers.look(e164=number.e164, region=number.region)
        self._tell(differences, number)
        if options["dry_run"]:
            return
        self._save(number, before)
        numbers.connect(number=number, now=timezone.now())
        if differences:
            self._tell_next(number, differences, url)

    def _public_url(self, given: str) -> str:
        """The address to set; one that is not PUBLIC_URL holds for this command alone, and we say so."""
        url = given.rstrip("/") or settings.PUBLIC_URL
        if not url.startswith("https://") and not (settings.TWILIO_API_URL and url.startswith("http://")):
            raise CommandError("Give the public address: --url https://… (or set PUBLIC_URL).")
        if url != settings.PUBLIC_URL:
            self.stdout.write(RESTARTS.format(url=url, set=settings.PUBLIC_URL or "no address"))
            settings.PUBLIC_URL = url
        return url

    def _save(self, number: PhoneNumber, before: Found) -> None:
        is_new = number.pk is None
        number.label = number.label or before.facts.label or number.e164
        number.save()
        if is_new:
            self.stdout.write(f"{number} is new here: {number.get_destination_display().lower()}.")

    def _tell(self, differences: list[Difference], number: PhoneNumber) -> None:
        if not differences:
            self.stdout.write(f"{number.e164} already sends its calls here. Next: manage.py doctor")
        for one in differences:
            self.stdout.write(f"  {one.field}: {one.found or '(empty)'} → {one.wanted or '(empty)'}")

    def _tell_next(self, number: PhoneNumber, differences: list[Difference], url: str) -> None:
        back = " ".join(f"--set {shlex.quote(f'{one.field}={one.found}')}" for one in differences)
        self.stdout.write(f"{number.e164} now sends its calls to {url}. To undo it:")
        self.stdout.write(f"  manage.py connect {number.e164} {back}")
        if any(one.field == INBOUND_REGION for one in differences):
            self.stdout.write(MOVES.format(region=number.region))
        self.stdout.write("Next: manage.py doctor, then call the number.")


def _row(options: dict[str, Any]) -> PhoneNumber:
    """The number's row, in the region asked for; one that is new here streams without dialling anyone.

    Nothing is saved yet.
    """
    e164 = _number(options["number"])
    known = PhoneNumber.objects.filter(e164=e164).first()
    if known:
        known.region = options["region"] or known.region
        return known
    forward_to = _number(options["forward_to"]) if options["forward_to"] else ""
    return PhoneNumber(
        e164=e164,
        label=options["label"],
        region=options["region"] or Region.US1,
        destination=PhoneNumber.Destination.PHONE if forward_to else PhoneNumber.Destination.TAP,
        forward_to=forward_to,
    )


def _number(given: str) -> str:
    try:
        return telephone(given)
    except ValueError as wrong:
        raise CommandError(f"{given[:40]}: {wrong} (E.164)") from None


def _put_back(number: PhoneNumber, fields: dict[str, str]) -> None:
    """The region first, so that no call comes here any more when the addresses go."""
    before, _ = numbers.look(e164=number.e164, region=number.region)
    region = fields.pop(INBOUND_REGION, "")
    if region:
        routes.set_inbound_region(e164=number.e164, region=region)
    if fields:
        gateway.update(region=number.region, sid=before.facts.sid, fields=fields)


def _fields(told: list[str]) -> dict[str, str]:
    fields = dict(one.partition("=")[::2] for one in told)
    known = (*FIELDS, INBOUND_REGION)
    if unknown := set(fields) - set(known):
        raise CommandError(f"No such field: {', '.join(sorted(unknown))}. Known: {', '.join(known)}.")
    return fields
