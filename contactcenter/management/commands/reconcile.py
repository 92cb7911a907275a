"""manage.py reconcile: our rows against Twilio's REST."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from calls.gateway.client import GatewayError
from calls.services import reconcile


class Command(BaseCommand):
    help = "Compare calls and conferences with Twilio and mend what was missed; --check only tells, exits 1."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="change nothing; exit 1 on a difference")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = reconcile.run(now=timezone.now(), check=options["check"])
        except GatewayError as error:
            raise CommandError(f"Twilio could not be asked: {error.text}") from None
        for one in found:
            state = "set right" if one.fixed else "differs"
            self.stdout.write(
                f"{one.sid} {one.what}: here {one.ours or '(none)'}, Twilio {one.twilios}; {state}"
            )
        self.stdout.write(f"Differences: {len(found)}" if found else "Calls are as Twilio says.")
        if options["check"] and found:
            sys.exit(1)
