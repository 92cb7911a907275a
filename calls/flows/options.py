"""What callers may choose from, in a menu or anywhere in a flow: by phrase and by key. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final

from calls.flows.fields import Fields, Problems
from calls.flows.nodes import Mapped, Scalar
from calls.flows.steps import Option
from calls.matching import MAX_PHRASE_WORDS, yes_or_no
from calls.said import phrase

__all__ = ["check_against", "options"]

MAX_OPTIONS: Final = 12
MAX_PHRASES: Final = 12  # of one option
_MAX_PHRASE: Final = 60  # characters
_KEYS: Final = "0123456789*#"
# 1 and 2 are yes and no, # ends digits: they must mean the same wherever the caller is.
_KEYS_ANYWHERE: Final = "03456789*"


def options(fields: Fields, name: str, *, anywhere: bool = False) -> tuple[Option, ...]:
    """The choices under a field, each by its first phrase; those that are open anywhere may be none."""
    held = fields.value(name)
    if not isinstance(held, Mapped) or not held.entries:
        if held is not None or not anywhere:
            fields.wrong(f"“{name}” must hold choices, such as “a person: {{key: 0, go: person}}”.", name)
        return ()
    if len(held.entries) > MAX_OPTIONS:
        fields.wrong(f"“{name}” has {len(held.entries)} choices; at most {MAX_OPTIONS} can be told.", name)
    found = tuple(_option(fields, key, held_, anywhere) for key, held_ in held.entries[:MAX_OPTIONS])
    _check_twice(found, fields.problems)
    return found


def check_against(options: Sequence[Option], anywhere: Sequence[Option], problems: Problems) -> None:
    """Tell of keys and phrases of a menu that mean something else anywhere."""
    taken = {sign: option for option in anywhere for sign in _signs(option)}
    for option in options:
        for sign in _signs(option):
            if other := taken.get(sign):
                problems.add(option.line, f"“{sign}” is “{other.name}” anywhere, see line {other.line}.")


def _option(parent: Fields, name: Scalar, held: object, anywhere: bool) -> Option:
    value = held if isinstance(held, Mapped) else None
    fields = Fields(value, f"“{name.text[:_MAX_PHRASE]}”", name.line, parent.problems)
    fields.line = name.line
    if value is None:
        fields.wrong(f"{fields.what} must hold fields, such as {{key: 1, go: orders}}.")
    also = fields.words("also")
    key = fields.word("key")
    go = fields.target("go", needed=value is not None)
    fields.done()
    parent.targets += fields.targets
    phrases = _phrases([name, *also], fields, anywhere)
    return Option(phrases, _key(key, fields, anywhere), go, name.line)


def _phrases(given: Sequence[Scalar], fields: Fields, anywhere: bool) -> tuple[str, ...]:
    if len(given) > MAX_PHRASES:
        fields.wrong(f"{fields.what} has {len(given)} phrases; at most {MAX_PHRASES}.", "also")
    for text in given[:MAX_PHRASES]:
        words = phrase(text.text)
        if not words:
            fields.problems.add(text.line, f"“{text.text[:_MAX_PHRASE]}” has no word in it.")
        elif len(words) > MAX_PHRASE_WORDS or len(text.text) > _MAX_PHRASE:
            reason = (
                f"“{text.text[:_MAX_PHRASE]}” is too long to be recognised: at most {MAX_PHRASE_WORDS} words."
            )
            fields.problems.add(text.line, reason)
        elif anywhere and len(words) == 1 and yes_or_no(text.text) is not None:
            fields.problems.add(text.line, f"“{text.text}” answers yes or no, and cannot mean more anywhere.")
    return tuple(text.text for text in given[:MAX_PHRASES])


def _key(key: str, fields: Fields, anywhere: bool) -> str:
    if not key:
        return ""
    if len(key) != 1 or key not in _KEYS:
        fields.wrong(f"A key is one of 0 to 9, * and #, not “{key[:20]}”.", "key")
        return ""
    if anywhere and key not in _KEYS_ANYWHERE:
        why = "ends digits" if key == "#" else "means yes" if key == "1" else "means no"
        fields.wrong(f"The key {key} {why}, and cannot mean more anywhere.", "key")
        return ""
    return key


def _check_twice(options: Sequence[Option], problems: Problems) -> None:
    seen: dict[str, Option] = {}
    for option in options:
        for sign in dict.fromkeys(_signs(option)):
            if (other := seen.setdefault(sign, option)) is not option:
                kind = "key" if len(sign) == 1 and sign in _KEYS else "phrase"
                what = f"The {kind} “{sign}” is that of “{other.name}” already, in line {other.line}."
                problems.add(option.line, what)


def _signs(option: Option) -> Iterator[str]:
    """Its key and its phrases, as they are compared."""
    if option.keys:
        yield option.keys
    for text in option.phrases:
        if words := phrase(text):
            yield " ".join(words)
