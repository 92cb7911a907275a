"""manage.py doctor: is this set-up fit for a first real call."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from contactcenter.doctor import examine


class Command(BaseCommand):
    help = "Check the set-up as a call meets it; one remedy a line, exit 1 when something is wrong."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = examine(self.stdout.write)
        if wrong:
            self.stdout.write(f"{wrong} of the checks failed; the first is the one to begin with.")
            sys.exit(1)
        self.stdout.write("All well. What only a call can prove: that Twilio reaches you. Call your number.")
