"""manage.py emulator: the same as `python -m emulator`."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Twilio's side alone; the same as: python -m emulator"
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Become the program: its options are its own, and it needs no Django."""
        os.execv(sys.executable, [sys.executable, "-m", "emulator", *argv[2:]])  # noqa: S606  no shell is wanted

    def handle(self, *args: Any, **options: Any) -> None:
        os.execv(sys.executable, [sys.executable, "-m", "emulator", *map(str, args)])  # noqa: S606  no shell is wanted
