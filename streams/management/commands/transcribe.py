"""`manage.py transcribe FILE…`: what the live engine hears in recordings, and how right it is."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from streams.engines import registry
from streams.engines.base import Options
from streams.engines.judge import Judged, judge
from streams.engines.recording import RecordingError
from streams.scoring import total


class Command(BaseCommand):
    help = (
        "Writes down what is said in WAV files, through the segmenter and settings of live calls, faster "
        "than real time. A manifest.json beside a file that holds its reference gives its word error rate."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--json", action="store_true", help="one JSON object on one line for each file")

    def handle(self, *args: Any, **options: Any) -> None:
        name = settings.TRANSCRIBER if settings.TRANSCRIBER in registry.ENGINES else "embedded"
        try:
            engine = registry.make(name, Options(settings.SPEECH_MODEL_DIR, partial_ms=0))
        except FileNotFoundError as error:
            raise CommandError(str(error)) from error
        try:
            judged = [self._one(path, engine, options["json"]) for path in options["files"]]
        finally:
            engine.stop()
        if not options["json"]:
            self._total(judged)

    def _one(self, path: Path, engine: Any, as_json: bool) -> Judged:
        try:
            judged = judge(path, engine)
        except (RecordingError, OSError) as error:
            raise CommandError(f"{path}: {error}") from error
        self.stdout.write(json.dumps(judged.as_json()) if as_json else _page(judged))
        return judged

    def _total(self, judged: list[Judged]) -> None:
        scores = [each.score for each in judged if each.score]
        whole = total(scores)
        if len(scores) > 1 and whole.rate is not None:
            self.stdout.write(f"all: {whole.rate:.1%} of {whole.words} words wrong")


def _page(judged: Judged) -> str:
    lines = [f"{judged.file} ({judged.duration_ms / 1000:.1f} s)"]
    for track, event in judged.utterances:
        sure = f"{event.confidence:.0%}" if event.confidence is not None else ""
        lines.append(f"  {event.start_ms / 1000:7.2f}  {track:<8} {sure:>4}  {event.text}")
    if judged.score and judged.score.rate is not None:
        lines.append(f"  {judged.score.rate:.1%} of {judged.score.words} words wrong")
    return "\n".join(lines)
