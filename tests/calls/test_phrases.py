"""Word rules: whole words, in any case and spelling, in a row across punctuation, and quick."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.phrases import MAX_WORDS, Words, phrases
from calls.rules import Rule
from calls.said import MAX_TEXT, QUOTE, around, phrase, spoken

WORD = st.text("abcdefghijklmnopqrstuvwxyzéßñøжд", min_size=1, max_size=8)
PHRASE = st.lists(WORD, min_size=1, max_size=4)
BETWEEN = st.sampled_from([" ", ", ", "… ", "\n", " - ", "! ", "_"])


def rule(words: str, *, id_: int = 1, **more: object) -> Rule:
    return Rule(id=id_, kind="words", phrases=phrases(words), **more)  # type: ignore[arg-type]


def says(words: str, text: str) -> bool:
    return bool(Words([rule(words)]).find(text))


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("cancel", "I want to CANCEL."),
        ("speak to a manager", "let me speak to, um… no: speak to a — manager!"),
        ("don't like", "I don’t like it"),
        ("dont like", "I DON'T like it"),
        ("manager", "your manager's name"),
        ("avocat", "je veux parler à l’avocat"),
        ("café", "the cafe\u0301 is closed"),
        ("STRASSE", "in der Straße"),
        ("complaint", "a com\u00adplaint"),
        ("ﬁne", "a fine day"),
        ("取消", "我想取消吗"),
        ("not\nnever\nno way", "no, way"),
        ("e-mail", "an e mail"),
    ],
)
def test_it_is_said(words, text):
    assert says(words, text)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("cancel", "a cancelled flight"),
        ("cancel", "the can cell"),
        ("can", "I can't"),
        ("won", "I won't"),
        ("m", "I'm here"),
        ("speak to a manager", "speak to the manager"),
        ("manager a", "a manager"),
        (".*", "anything at all"),
        ("", "anything"),
    ],
)
def test_it_is_not_said(words, text):
    assert not says(words, text)


@given(PHRASE, st.lists(WORD, max_size=5), st.lists(WORD, max_size=5), BETWEEN, st.booleans())
def test_words_in_a_row_are_found_whatever_stands_around_and_between(
    words, before, behind, between, is_upper
):
    text = between.join([*before, *words, *behind])
    text = unicodedata.normalize("NFD", text.upper() if is_upper else text)
    hits = Words([rule(" ".join(words))]).find(text)
    assert len(hits) == 1
    assert phrase(hits[0].quote) == phrase(text)  # a short line is quoted whole


@given(st.text(max_size=300), st.text(max_size=60).map(lambda text: " ".join(text.splitlines())))
def test_what_is_found_is_said_word_by_word_and_what_is_said_is_found(text, words):
    said, wanted = spoken(text)[1], phrase(words)
    is_said = any(
        all(word in said[at + n].forms for n, word in enumerate(wanted))
        for at in range(len(said) - len(wanted) + 1)
    )
    assert says(words, text) == (is_said and 0 < len(wanted) <= MAX_WORDS)


@given(st.text(max_size=2 * MAX_TEXT))
def test_any_text_is_taken_and_its_words_lie_in_it_in_order(text):
    kept, words = spoken(text)
    assert len(kept) <= MAX_TEXT
    ends = [0, *(word.end for word in words)]
    assert all(end <= word.start < word.end for end, word in zip(ends, words, strict=False))
    assert all(word.end <= len(kept) and word.forms[0] for word in words)


@given(st.lists(WORD, min_size=1, max_size=200), st.data())
def test_a_quote_holds_what_was_found_and_is_short(words, data):
    text = " ".join(words)
    found = data.draw(st.sampled_from(spoken(text)[1]))
    quote = around(text, found.start, found.end)
    assert text[found.start : found.end] in quote
    assert len(quote) <= QUOTE + 2
    assert quote.strip("…") in text


def test_a_quote_of_a_line_without_spaces_still_shows_what_was_found():
    text = "x" * 500 + "-cancel-" + "y" * 500
    quote = around(text, 501, 507)
    assert "cancel" in quote
    assert len(quote) <= QUOTE + 2


def test_each_rule_is_found_once_a_line_where_it_is_said_first():
    rules = [rule("no", id_=1), rule("no no\nnever", id_=2), rule("maybe", id_=3)]
    assert [hit.rule.id for hit in Words(rules).find("never ever, no no no")] == [2, 1]


def test_a_finding_is_the_line_and_quotes_it():
    words = Words([rule("cancel")])
    (found,) = words.judge(
        "please cancel", speaker="caller", queue=None, at_ms=1200, utterance="MZ1/inbound/4"
    )
    assert (found.key, found.utterance, found.at_ms) == ("MZ1/inbound/4", "MZ1/inbound/4", 1200)
    assert found.quote == "please cancel"


@pytest.mark.parametrize(
    ("speaker_wanted", "speaker", "is_found"),
    [("", "caller", True), ("", "agent", True), ("agent", "caller", False), ("", "other", False)],
)
def test_only_the_speaker_who_is_meant_is_judged_and_prompts_never(speaker_wanted, speaker, is_found):
    words = Words([rule("cancel", speaker=speaker_wanted)])
    assert bool(words.judge("cancel", speaker=speaker, queue=1, at_ms=0, utterance="")) is is_found


@pytest.mark.parametrize(
    ("wanted", "queue", "is_found"),
    [(None, None, True), (None, 3, True), (3, 3, True), (3, 4, False), (3, None, False)],
)
def test_a_rule_of_a_queue_is_for_its_calls_alone(wanted, queue, is_found):
    words = Words([rule("cancel", queue=wanted)])
    assert bool(words.judge("cancel", speaker="caller", queue=queue, at_ms=0, utterance="")) is is_found


def test_the_work_for_a_line_does_not_grow_with_the_number_of_rules():
    """Steps in the tree, not time: as many for three hundred rules as for one, and bounded by the line."""

    def steps(rules: list[Rule]) -> int:
        words, taken = Words(rules), 0

        class Counted(dict):  # type: ignore[type-arg]
            def __contains__(self, key):
                nonlocal taken
                taken += 1
                return super().__contains__(key)

        def count(each):
            each.then = Counted(each.then)
            for below in each.then.values():
                count(below)

        count(words._root)
        words.find("a b c " * 600)
        return taken

    one = [rule("a b c d\nb c a b c a b c a b c d")]
    many = [rule(f"a b c d\nb c a b c a b c a b c d\na b word{n}", id_=n) for n in range(300)]
    assert steps(many) == steps(one)
    assert steps(one) < 1800 * (MAX_WORDS + 2)


def test_a_phrase_too_long_is_left_out_and_a_repeated_one_is_one():
    assert phrases("a " * (MAX_WORDS + 1)) == ()
    assert phrases("Cancel it\n\n  cancel, IT \n…") == (("cancel", "it"),)
