"""manage.py makemessages, as Django's own; the remedies (calls/remedies.toml) are among the sentences."""

from pathlib import Path
from typing import Any

from django.core.management.commands import makemessages

from calls.remedies import sentences

__all__ = ["Command", "marked"]

NAME = "remedies_to_translate.py"  # gettext reads no TOML, so for its look there is a script


class Command(makemessages.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Collect; what is written for that is gone afterwards."""
        if options["domain"] != "django":
            super().handle(*args, **options)
            return
        script = Path(NAME)
        script.write_text(marked(), encoding="utf-8")
        try:
            super().handle(*args, **options)
        finally:
            script.unlink()


def marked() -> str:
    """All sentences of the remedies, as gettext finds them."""
    return "".join(f"gettext_noop({sentence!r})\n" for sentence in sentences())
