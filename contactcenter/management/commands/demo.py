"""manage.py demo: simulated live calls of recorded speech, no Twilio account needed."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Simulated live calls of recorded speech, in var/demo/; see --help."
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Become the program: it makes settings of its own before Django is loaded."""
        os.execv(sys.executable, [sys.executable, "-m", "contactcenter.demo", *argv[2:]])  # noqa: S606

    def handle(self, *args: Any, **options: Any) -> None:
        """By call_command: the same."""
        os.execv(sys.executable, [sys.executable, "-m", "contactcenter.demo", *map(str, args)])  # noqa: S606
