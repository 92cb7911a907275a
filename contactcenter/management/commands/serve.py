"""manage.py serve: pages, webhooks and sockets, with worker and engine beside them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Serve. Role all (default) also starts the worker and the speech engine."
    requires_system_checks: list[str] = []  # serving runs its own, as errors

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--role", choices=["all", "web", "media"], default="all")
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (127.0.0.1).")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        from contactcenter.serving import Refused, serve  # Daphne installs its reactor when imported

        try:
            serve(role=options["role"], host=options["host"], port=options["port"])
        except Refused as refused:
            raise CommandError(str(refused)) from None
