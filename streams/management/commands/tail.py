"""Prints what one media stream brings: connected, start, the first payload, its bytes, the total."""

import base64
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from streams.journal import (
    END,
    HEAD,
    INBOUND,
    OUTBOUND,
    JournalError,
    Reader,
    Record,
    journal_path,
    listing,
    owned,
)

LOOK_SECONDS = 0.1
_TRACKS = {INBOUND: "inbound", OUTBOUND: "outbound"}


class Command(BaseCommand):
    help = (
        "Show a media stream as it comes, from any process of this machine: connected, start, the first "
        "payload and its size, and the total at its end. Without STREAM it takes the newest open stream, or "
        "waits for the next one. Ctrl-C ends it."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("stream", nargs="?", metavar="STREAM", help="A StreamSid: MZ and 32 digits.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Until the stream ends. Raises CommandError when there is no such stream here."""
        try:
            journal = self._named(options["stream"]) if options["stream"] else self._next()
            with Reader(journal) as reader:
                self._show(reader)
        except KeyboardInterrupt:
            self.stdout.write("")

    def _named(self, sid: str) -> Path:
        try:
            journal = journal_path(settings.JOURNAL_DIR, sid)
        except JournalError:
            raise CommandError(f"{sid} is no StreamSid: MZ and 32 hexadecimal digits.") from None
        if not journal.exists():
            raise CommandError(
                f"No stream {sid} is kept on this machine. Its sound is deleted soon after its end; its row "
                "stays in the admin."
            )
        return journal

    def _next(self) -> Path:
        """The newest stream that is open, else the first that opens."""
        told = False
        while True:
            open_ones = [path for path in listing(settings.JOURNAL_DIR) if owned(path)]
            if open_ones:
                return max(open_ones, key=lambda path: path.stat().st_ctime)
            if not told:
                self.stdout.write("Waiting for a stream. Call one of your numbers.")
                told = True
            time.sleep(LOOK_SECONDS)

    def _show(self, reader: Reader) -> None:
        messages = 0
        for record in self._records(reader):
            if record.kind == HEAD:
                self._show_start(record.facts())
            elif record.kind in _TRACKS:
                messages += 1
                if messages == 1:
                    self._show_payload(record)
            elif record.kind == END:
                self._show_end(messages, record.facts())

    def _records(self, reader: Reader) -> Iterator[Record]:
        """Every record up to the end; also of a stream whose process dies."""
        while True:
            alive = owned(reader.path)
            records = reader.read()
            yield from records
            if any(record.kind == END for record in records):
                return
            if not records:
                if not alive:
                    self.stdout.write("The process that held the stream has ended. No more will come.")
                    return
                time.sleep(LOOK_SECONDS)

    def _show_start(self, head: dict[str, Any]) -> None:
        self.stdout.write(f"Connected: stream {head.get('stream')} of call {head.get('call')}")
        tracks = ", ".join(map(str, head.get("tracks", [])))
        words = "written down" if head.get("words") else "not written down"
        self.stdout.write(f"Start: tracks {tracks}; what is said is {words}")

    def _show_payload(self, record: Record) -> None:
        payload = base64.b64encode(record.payload).decode()
        self.stdout.write(f"First media message, track {_TRACKS[record.kind]}. Payload is: {payload}")
        self.stdout.write(f"That's {len(record.payload)} bytes")
        self.stdout.write("Additional media messages are not shown")

    def _show_end(self, messages: int, facts: dict[str, Any]) -> None:
        self.stdout.write(f"Stopped: {facts.get('reason')}. Received a total of {messages} media messages")
