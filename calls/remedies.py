"""Error codes in words with a remedy, for people; the words are in remedies.toml beside this module."""

import tomllib
from importlib.resources import files

__all__ = ["explain", "is_known", "words"]

_WORDS: dict[str, dict[str, str]] = tomllib.loads(
    files("calls").joinpath("remedies.toml").read_text(encoding="utf-8")
)


def explain(code: str | int, otherwise: str = "") -> str:
    """What the code means and what to do, in two sentences; for an unknown code `otherwise` and the code."""
    if is_known(code):
        return " ".join(words(code))
    said = otherwise.strip().rstrip(".") or "Twilio refused"
    return f"{said}. See the error {code} in Twilio's documentation." if str(code).isdigit() else f"{said}."


def is_known(code: str | int) -> bool:
    """Whether there are words of ours for it."""
    return str(code) in _WORDS


def words(code: str | int) -> tuple[str, str]:
    """What a known code means, and what to do. Raises KeyError for another."""
    found = _WORDS[str(code)]
    return found["what"], found["do"]
