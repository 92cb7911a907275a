"""`manage.py engine`: the speech engine on this machine's journals, as a process without Django."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from streams.engines import registry


class Command(BaseCommand):
    help = "Writes down what is said in this machine's streams, until SIGTERM. `serve` starts one by itself."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.TRANSCRIBER == "none":
            self.stdout.write("TRANSCRIBER=none: no words are wanted, so no engine runs.")
            return
        if settings.TRANSCRIBER not in registry.ENGINES:
            names = ", ".join(sorted(registry.ENGINES))
            raise CommandError(f"TRANSCRIBER={settings.TRANSCRIBER}: there is no such engine; none, {names}")
        os.execv(sys.executable, [sys.executable, *command(settings.TRANSCRIBER)])  # noqa: S606  our own module


def command(engine: str) -> list[str]:
    """The arguments of Python that start the engine process with this site's directories."""
    places = ["--journal", str(settings.JOURNAL_DIR), "--models", str(settings.SPEECH_MODEL_DIR)]
    return ["-m", "streams.engines.run", *places, "--engine", engine]
