"""manage.py bench: the same as `python -m bench`."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Measurements; the same as: python -m bench"
    requires_system_checks: list[str] = []

    def run_from_argv(self, argv: list[str]) -> None:
        """Become the program: its options are its own, and it needs no Django."""
        os.execv(sys.executable, [sys.executable, "-m", "bench", *argv[2:]])  # noqa: S606  no shell is wanted

    def handle(self, *args: Any, **options: Any) -> None:
        os.execv(sys.executable, [sys.executable, "-m", "bench", *map(str, args)])  # noqa: S606  no shell is wanted
