"""manage.py worker: what follows from the rows, four times a second and by the minute."""

import os
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from contactcenter.worker import Worker, table


class Command(BaseCommand):
    help = "Do what follows from the rows: lost taps, unknown commands, recovery, clean-up, reconciliation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--child", action="store_true", help="End with the process that started this one."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        Worker(table(), parent=os.getppid() if options["child"] else None).run()
