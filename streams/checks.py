"""System checks of what media needs: a place for the journal, a limit on how long it stays, a speaker."""

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register

from calls.checks import Fault, as_errors, as_warnings
from streams.speech.registry import NONE, SPEAKERS

__all__ = ["in_check", "in_deploy", "journal_directory", "journal_keeping", "speaker"]

LONGEST_MINUTES = 10


def journal_keeping() -> list[Fault]:
    """Sound is kept for minutes, not longer: the promise of docs/privacy.md."""
    if 0 <= settings.JOURNAL_KEEP_MINUTES <= LONGEST_MINUTES:
        return []
    hint = f"Set JOURNAL_KEEP_MINUTES to 0 to {LONGEST_MINUTES}. What is to stay, a number can record."
    return [Fault("cc.E009", "JOURNAL_KEEP_MINUTES would keep sound for too long.", hint)]


def journal_directory() -> list[Fault]:
    """Every frame is written there before anything else is done with it."""
    directory = Path(settings.JOURNAL_DIR)
    existing = next((path for path in (directory, *directory.parents) if path.exists()), directory)
    if existing.is_dir() and os.access(existing, os.W_OK | os.X_OK):
        return []
    hint = "Let the user that serves write to DATA_DIR, or set DATA_DIR to a directory where it may."
    return [Fault("cc.E010", "The journal directory cannot be made or written.", hint)]


def speaker() -> list[Fault]:
    """A misspelt one would be found out by the first caller."""
    if settings.SPEAKER in (NONE, *SPEAKERS):
        return []
    hint = f"Set SPEAKER to one of: {', '.join((*SPEAKERS, NONE))}."
    return [Fault("cc.E031", f"SPEAKER={settings.SPEAKER} is no speaker.", hint)]


_CHECKS = (journal_keeping, journal_directory, speaker)


@register("cc")
def in_check(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """For `check` and every command: warnings."""
    return as_warnings(_CHECKS)


@register("cc", deploy=True)
def in_deploy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """For `check --deploy` and serving: errors."""
    return as_errors(_CHECKS)
