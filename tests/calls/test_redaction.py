"""No card number and no security code stays in a text; telephone numbers, orders and years do."""

import json
import time
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from calls.redaction import (
    CARD,
    CODE,
    NUMBER,
    asks_code,
    has_digits,
    hidden,
    hidden_lines,
    hidden_partial,
    hidden_words,
)
from tools.house import ROOT

RECORDINGS = ROOT / "emulator" / "recordings"
SPOKEN = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
VISA = "4111111111111111"
AMEX = "378282246310005"


def check_digit(digits: str) -> str:
    """What makes these digits pass the Luhn check, by its definition."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in reversed(digits)][::2]
    plain = [int(digit) for digit in reversed(digits)][1::2]
    return str(-(sum(doubled) + sum(plain)) % 10)


def ways(group: str) -> Iterator[str]:
    """How people and engines spell a few digits."""
    words = [SPOKEN[int(digit)] for digit in group]
    yield group
    yield " ".join(group)
    yield " ".join(words)
    yield ", ".join(word.capitalize() for word in words)
    yield " ".join("oh" if word == "zero" else word for word in words)
    if len(group) == 2 and group[0] == group[1]:
        yield f"double {words[0]}"
        yield f"double {group[0]}"
    if len(group) == 3 and len(set(group)) == 1:
        yield f"triple {words[0]}"
    if len(group) == 2 and group[0] == "1":
        yield TEENS.split()[int(group[1])]
    if len(group) == 2 and group[0] > "1" and group[1] != "0":
        yield f"{TENS[int(group[0])]} {words[1]}"
        yield f"{TENS[int(group[0])]}-{words[1]}"


@st.composite
def cards(draw: st.DrawFn) -> str:
    """Digits that pass the check, as many as cards have."""
    digits = draw(st.text("0123456789", min_size=12, max_size=18))
    return digits + check_digit(digits)


@st.composite
def spelled(draw: st.DrawFn, number: st.SearchStrategy[str]) -> str:
    """A number in groups, each spelled in its own way."""
    left, pieces = draw(number), []
    while left:
        size = draw(st.integers(1, 5))
        pieces.append(draw(st.sampled_from(list(ways(left[:size])))))
        left = left[size:]
    joins = st.sampled_from([" ", "-", ". ", ", ", " - ", " um ", "\u00a0", "/", "? ", " dash "])
    return "".join(piece + draw(joins) for piece in pieces[:-1]) + pieces[-1]


SCRAPS = st.lists(
    st.sampled_from(
        [
            *SPOKEN,
            *("double", "forty", "hundred", "to", "for", "um", "and", "is", "my", "[hidden:", "]"),
            *("security code", "cvc", "1", "12", "123", "4111"),
            *(VISA, AMEX, "-", ".", "$", CARD, CODE, "é"),
        ]
    ),
    max_size=40,
)


@given(
    spelled(cards()),
    st.sampled_from(["", "My card is ", "(", "it’s "]),
    st.sampled_from(["", ".", " thanks"]),
)
@example("four one double one one one one one one one one one one one one one", "", "")
@example("forty-one eleven 1111 eleven eleven 11 eleven", "", " please")
def test_no_card_number_survives_however_it_is_spelled(number: str, before: str, after: str) -> None:
    groups = number.split(" ")
    assume(not all(len(group) == 4 and group[:2] in ("19", "20") for group in groups))
    assert hidden(before + number + after) == before + CARD + after


@given(SCRAPS.map(" ".join) | st.text(max_size=200))
def test_hiding_again_changes_nothing(text: str) -> None:
    once = hidden(text)
    assert hidden(once) == once
    shown = hidden_partial(text)
    assert hidden_partial(shown) == shown


@given(st.lists(st.sampled_from(["hello", "is", "the", "security", "code", "c", "v", "verification"])))
def test_a_text_without_digits_is_untouched(words: list[str]) -> None:
    text = " ".join(words)
    assert (hidden(text), hidden_partial(text), has_digits(text)) == (text, text, False)


def said() -> Iterator[str]:
    """What is said in the recordings, and how an engine wrote some of it."""
    files = json.loads((RECORDINGS / "manifest.json").read_text())["files"]
    for facts in files.values():
        yield facts.get("text") or ""
        yield from (turn["text"] for turn in facts.get("turns", []))
    yield "Four, one, five, five, five, five, zero, one, three, two."
    yield "Little one, one, four, nine, six, zero, seven, five, eight."
    yield "One zero zero zero one. Nine, oh, two, one, oh. Zero one, eight, zero three."


@pytest.mark.parametrize("text", [text for text in said() if text])
def test_nothing_of_the_recordings_is_hidden(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Call +1 (415) 555-0132 or 212.555.0179, before 20 minutes past 12.",
        "my number is oh one one four nine six oh seven five eight",
        "In 1995, 1996, 1997 and 1998 it was 2019.",
        "Order 1234567890 from 2026-11-20, item 4711, for $1,234.56",
        "order number 1234 5678 9012 3456",
        "the code is 1 2 3",
        "press one for sales, two for support",
        "the security code has three digits",
        "one two three four five six seven eight nine ten",
    ],
)
def test_what_is_no_card_number_stays(text: str) -> None:
    assert hidden(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("4111 1111 1111 1111 expires 12 26", f"{CARD} expires 12 26"),
        ("4111 1111 1111 1111 12/26", f"{CARD} 12/26"),
        ("card 1, 4111 1111 1111 1111", f"card 1, {CARD}"),
        ("41111111111111111226", f"{CARD}1226"),
        ("for one one one, 1111 and then 1111 1111", CARD),
        (f"{VISA} and {AMEX}", f"{CARD} and {CARD}"),
        (f"{VISA} {AMEX}", f"{CARD} {CARD}"),
    ],
)
def test_a_card_number_is_found_among_other_digits(text: str, left: str) -> None:
    assert hidden(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("the security code is 1 2 3", f"the security code is {CODE}"),
        ("Security code: one two three.", f"Security code: {CODE}."),
        ("my CVC is, um, four five six seven", f"my CVC is, um, {CODE}"),
        ("C V V double one two", f"C V V {CODE}"),
        ("123 is my cvv", f"{CODE} is my cvv"),
        ("the three digits on the back are 1 2 3", f"the three digits on the back are {CODE}"),
        (f"security code 123 {VISA}", f"security code {CODE} {CARD}"),
        ("security code 123, it expires in 2026", f"security code {CODE}, it expires in 2026"),
        ("security code 123, yes, 123 and then 456", f"security code {CODE}, yes, {CODE} and then {CODE}"),
        ("the security code is 12345", "the security code is 12345"),
    ],
)
def test_a_security_code_is_hidden_where_it_is_spoken_of(text: str, left: str) -> None:
    assert hidden(text) == left


def test_a_code_that_was_asked_for_is_hidden_without_its_name() -> None:
    assert asks_code("And the three digits on the back, please?")
    assert hidden("sure, it's 1 2 3", asked=True) == f"sure, it's {CODE}"
    assert hidden("sure, it's 1 2 3") == "sure, it's 1 2 3"


@given(spelled(st.just(VISA)))
def test_a_growing_card_number_shows_less_than_eight_digits(number: str) -> None:
    for end in range(1, len(number) + 1):
        left = hidden_partial(number[:end])
        assert sum(sign.isdigit() for sign in left) < 8, left
        spoken = [word for word in left.lower().replace("-", " ").replace(",", " ").split() if word in SPOKEN]
        assert len(spoken) < 8, left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("four one one one one one one", "four one one one one one one"),
        ("four one one one one one one one", NUMBER),
        ("it's 212 555 0179 and", f"it's {NUMBER} and"),
        ("4111 1111 1111 1111", CARD),
        ("the cvc is 1", f"the cvc is {CODE}"),
    ],
)
def test_a_partial_line_hides_what_may_become_a_card_number(text: str, left: str) -> None:
    assert hidden_partial(text) == left


def test_a_partial_line_goes_on_from_the_lines_before_it() -> None:
    assert hidden_partial("one one", before=["4111.", "11 11."]) == NUMBER
    assert hidden_partial("one one", before=["4111.", "and then"]) == "one one"


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        (["4111.", "1111.", "1111.", "1111."], [CARD, CARD, CARD, f"{CARD}."]),
        (["it's 4111 1111", "1111 1111, thanks"], [f"it's {CARD}", f"{CARD}, thanks"]),
        (["4111 1111", "sorry?", "1111 1111"], ["4111 1111", "sorry?", "1111 1111"]),
        (["212 555 0179", "1 0 0 0 1"], ["212 555 0179", "1 0 0 0 1"]),
        (["my security code is", "1 2 3"], ["my security code is", CODE]),
    ],
)
def test_a_number_goes_on_in_the_next_line(lines: list[str], left: list[str]) -> None:
    assert hidden_lines(lines) == left


@pytest.mark.parametrize("form", ["object", "list", "text"])
def test_the_words_of_a_line_are_hidden_too(form: str) -> None:
    def made(text: str) -> object:
        return {"object": {"text": text, "confidence": 0.9}, "list": [text, 100, 200], "text": text}[form]

    words = [made(word) for word in ["my", "card,", *(SPOKEN[int(digit)] for digit in VISA), "thanks"]]
    one = {"text": CARD, "confidence": None}
    assert hidden_words(words) == [made("my"), made("card,"), one, made("thanks")]
    assert hidden_words(hidden_words(words)) == hidden_words(words)
    assert hidden_words(words[:5]) == words[:5]


def test_words_of_no_known_form_are_passed_over() -> None:
    odd: Sequence[object] = [None, 7, [], {"w": "one"}]
    assert hidden_words(odd) == list(odd)


@pytest.mark.parametrize("piece", ["1 to ", "4 for ", "forty one ", "4", "cvc 1 ", "double "])
def test_a_long_line_takes_no_time_worth_mentioning(piece: str) -> None:
    began = time.process_time()
    hidden((piece * 4000)[:4000])
    assert time.process_time() - began < 10
