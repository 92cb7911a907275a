"""Error codes in words with a remedy, for people; the words are in remedies.toml beside this module."""

import tomllib
from importlib.resources import files

__all__ = ["explain", "is_known"]

_WORDS: dict[str, dict[str, str]] = tomllib.loads(
    files("calls").joinpath("remedies.toml").read_text(encoding="utf-8")
)


def explain(code: str | int, otherwise: str = "") -> str:
    """What the code means and what to do, in two sentences; for an unknown code `otherwise` and the code."""
    words = _WORDS.get(str(code))
    if words:
        return f"{words['what']} {words['do']}"
    said = otherwise.strip().rstrip(".") or "Twilio refused"
    return f"{said}. See the error {code} in Twilio's documentation." if str(code).isdigit() else f"{said}."


def is_known(code: str | int) -> bool:
    """Whether there are words of ours for it."""
    return str(code) in _WORDS
