"""Lines lose their card numbers before they are stored, also where a number is told over several lines."""

from typing import Any

import pytest

from calls.events import change
from calls.models import Call, Event, Utterance
from calls.redaction import CARD, CODE
from calls.services.redacting import redact
from tests import factories

pytestmark = pytest.mark.django_db

STREAM = "MZ" + "2" * 32


@pytest.fixture
def call() -> Call:
    return factories.call()


def line(call: Call, number: int, text: str, **fields: Any) -> Utterance:
    """The caller's line, three seconds after the one before."""
    fields = {"track": "inbound", "start_ms": 3000 * number, "words": [], **fields}
    words = fields.pop("words") or [{"text": word, "confidence": 0.9} for word in text.split()]
    end_ms = fields["start_ms"] + 2000
    return Utterance(
        call=call, stream_sid=STREAM, number=number, end_ms=end_ms, text=text, words=words, **fields
    )


def add(*rows: Utterance) -> list[str]:
    """Store them as new lines are; the texts that are stored then."""
    with change() as told:
        redact(told, rows)
        Utterance.objects.bulk_create(rows)
    return list(Utterance.objects.order_by("start_ms").values_list("text", flat=True))


def test_a_card_number_is_neither_in_the_text_nor_in_the_words(call: Call) -> None:
    assert add(line(call, 1, "it's 4111 1111 1111 1111 thanks")) == [f"it's {CARD} thanks"]
    words = Utterance.objects.get().words
    assert [word["text"] for word in words] == ["it's", CARD, "thanks"]
    assert not Event.objects.exists()


def test_lines_that_were_stored_before_the_number_was_complete_are_changed_and_told(call: Call) -> None:
    for number, text in enumerate(["My card number is", "four one one one.", "1111", "1111"], start=1):
        add(line(call, number, text))
    assert add(line(call, 5, "1111.")) == ["My card number is", CARD, CARD, CARD, f"{CARD}."]
    told = Event.objects.order_by("id").values_list("kind", "key")
    assert list(told) == [("utterance.hidden", f"{STREAM}/inbound/{number}") for number in (2, 3, 4)]
    rows = Utterance.objects.filter(number__gte=2)
    assert all(row.words == [] for row in rows), "single words would still tell it"


def test_lines_that_come_at_once_are_taken_together(call: Call) -> None:
    rows = [line(call, number, "4111" if number == 1 else "1111") for number in range(1, 5)]
    assert add(*rows) == [CARD] * 4
    assert not Event.objects.exists()


def test_what_others_say_or_what_is_long_past_is_no_part_of_a_number(call: Call) -> None:
    add(line(call, 1, "4111 1111"))
    add(line(call, 1, "1111 1111", track="outbound", start_ms=6000))
    stored = add(line(call, 9, "1111 1111", start_ms=60_000))
    assert stored == ["4111 1111", "1111 1111", "1111 1111"]


def test_a_security_code_that_somebody_asked_for_is_hidden(call: Call) -> None:
    add(line(call, 1, "and the security code on the back?", track="outbound"))
    assert add(line(call, 2, "yes, one two three"))[1] == f"yes, {CODE}"
    assert add(line(call, 30, "room one two three"))[2] == "room one two three"


def test_lines_without_digits_ask_nothing_of_the_database(call: Call, django_assert_num_queries: Any) -> None:
    rows = [line(call, 1, "good morning"), line(call, 2, "hello")]
    with change() as told, django_assert_num_queries(0):
        redact(told, rows)
