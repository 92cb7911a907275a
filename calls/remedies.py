"""Error codes in words with a remedy, for people; the words are in remedies.toml beside this module."""

import tomllib
from collections.abc import Callable
from importlib.resources import files

__all__ = ["explain", "is_known", "sentences", "words"]

_SEE = "%(said)s. See the error %(code)s in Twilio's documentation."
_REFUSED = "Twilio refused"

_WORDS: dict[str, dict[str, str]] = tomllib.loads(
    files("calls").joinpath("remedies.toml").read_text(encoding="utf-8")
)


def explain(code: str | int, otherwise: str = "", *, say: Callable[[str], str] = str) -> str:
    """What the code means and what to do, in two sentences; for an unknown code `otherwise` and the code.

    `say` puts each of `sentences` into the reader's language; what is written down is left as it is.
    """
    if is_known(code):
        return " ".join(map(say, words(code)))
    said = otherwise.strip().rstrip(".") or say(_REFUSED)
    return say(_SEE) % {"said": said, "code": code} if str(code).isdigit() else f"{said}."


def is_known(code: str | int) -> bool:
    """Whether there are words of ours for it."""
    return str(code) in _WORDS


def words(code: str | int) -> tuple[str, str]:
    """What a known code means, and what to do. Raises KeyError for another."""
    found = _WORDS[str(code)]
    return found["what"], found["do"]


def sentences() -> list[str]:
    """All that `explain` says by itself, once each, in the order of the file."""
    said = (sentence for code in _WORDS for sentence in words(code))
    return [*dict.fromkeys(said), _SEE, _REFUSED]
