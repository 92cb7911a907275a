"""Which languages the site speaks. The settings ask it, so it loads little."""

from collections.abc import Iterable
from pathlib import Path

from django.conf.locale import LANG_INFO

__all__ = ["languages"]


def languages(code: str, places: Iterable[Path]) -> list[tuple[str, str]]:
    """(code, name in itself) of the site's own language, then of each that `places` hold compiled."""
    folders = {path.parent.parent.name for place in places for path in place.glob("*/*/django.mo")}
    found = {folder.lower().replace("_", "-") for folder in folders}  # pt_BR → pt-br
    return [(one, _name(one)) for one in (code, *sorted(found - {code}))]


def _name(code: str) -> str:
    known = LANG_INFO.get(code) or LANG_INFO.get(code.partition("-")[0]) or {}
    return str(known.get("name_local", code))
