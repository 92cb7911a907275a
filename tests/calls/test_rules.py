"""Rules over figures: when they find something, what it is called and how it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.rules import (
    CLIPPED_MS,
    EPISODE_MS,
    MAX_OPEN,
    PER_MINUTE,
    Ear,
    Finding,
    Loud,
    Rule,
    Sound,
    duration,
    found_clipping,
    found_help,
    found_length,
    found_level,
    found_overtalk,
    found_silence,
    found_stream_lost,
    room,
    thinned,
)


def rule(kind: str, **more: object) -> Rule:
    return Rule(**{"id": 1, "kind": kind, **more})  # type: ignore[arg-type]


def test_a_silence_is_found_at_its_limit_and_named_by_its_first_second():
    quiet = rule("silence", seconds=30)
    assert found_silence(quiet, ms=29_999, at_ms=60_400) is None
    found = found_silence(quiet, ms=31_200, at_ms=60_400)
    assert found is not None
    assert (found.key, found.at_ms, found.quote) == ("silence/60", 60_400, "Nobody spoke for 31 s")


@given(st.integers(0, 10**7), st.integers(1, 14_400), st.integers(0, 10**8))
def test_what_lasts_is_found_exactly_from_its_limit_on(ms, seconds, at_ms):
    for kind, found in (
        ("silence", found_silence),
        ("overtalk", found_overtalk),
        ("stream_lost", found_stream_lost),
    ):
        finding = found(rule(kind, seconds=seconds), ms=ms, at_ms=at_ms)
        assert (finding is not None) == (ms >= seconds * 1000)
        assert finding is None or (finding.at_ms == at_ms and duration(ms) in finding.quote)


def test_each_figure_reads_as_a_sentence():
    loud = Loud("caller", -6.2, 12_000, 400)
    found = [
        found_overtalk(rule("overtalk", seconds=5), ms=6000, at_ms=0),
        found_stream_lost(rule("stream_lost", seconds=15), ms=16_000, at_ms=0),
        found_length(rule("length", seconds=1800), ms=1_800_900),
        found_level(rule("level", dbfs=-10), loud),
        found_clipping(rule("clipping"), loud),
        found_help(rule("help"), at_ms=5, reason="I am lost"),
    ]
    assert [finding and finding.quote for finding in found] == [
        "Both spoke at once for 6 s",
        "No stream for 16 s",
        "The call has lasted 30 min",
        "Caller −6.2 dBFS",
        "Caller clipped for 0.4 s of a second",
        "I am lost",
    ]


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (999, "0 s"),
        (31_000, "31 s"),
        (60_000, "1 min"),
        (125_000, "2 min 5 s"),
        (3_600_000, "1 h"),
        (3_725_000, "1 h 2 min"),
    ],
)
def test_a_time_in_words(ms, text):
    assert duration(ms) == text


def test_a_level_is_of_the_speaker_who_is_meant():
    loud = Loud("agent", -6.0, 0)
    assert found_level(rule("level", dbfs=-10, speaker="caller"), loud) is None
    assert found_level(rule("level", dbfs=-10, speaker="agent"), loud) is not None
    assert found_level(rule("level", dbfs=-6.0), loud) is None  # above, not at


def test_a_click_is_no_clipping():
    assert found_clipping(rule("clipping"), Loud("caller", -9.0, 0, CLIPPED_MS - 100)) is None


def test_a_silence_that_goes_on_is_told_once_and_the_next_again():
    ear, rules = Ear(), [rule("silence", seconds=10)]
    first = [ear.judge(rules, Sound(silence_ms=ms, silence_at_ms=5000)) for ms in range(0, 60_000, 1000)]
    assert [finding.key for found in first for finding in found] == ["silence/5"]
    (again,) = ear.judge(rules, Sound(silence_ms=10_000, silence_at_ms=90_000))
    assert again.key == "silence/90"


def test_a_shout_of_many_seconds_is_one_and_after_a_pause_another():
    ear, rules = Ear(), [rule("level", dbfs=-10)]
    told = []
    for second in [*range(30), *range(30 + EPISODE_MS // 1000, 50)]:
        told += ear.judge(rules, Sound(loud=(Loud("caller", -5.0, second * 1000),)))
    assert [finding.key for finding in told] == ["level/caller/0", "level/caller/40"]


def test_both_speakers_are_judged_each_by_itself():
    sound = Sound(loud=(Loud("caller", -5.0, 0), Loud("agent", -4.0, 0)))
    keys = [finding.key for finding in Ear().judge([rule("level", dbfs=-10)], sound)]
    assert keys == ["level/caller/0", "level/agent/0"]


@given(st.lists(st.integers(0, 10 * 60_000), max_size=300))
def test_however_often_a_word_is_said_few_alerts_are_raised_and_the_first_is(times):
    findings = [Finding(rule("words"), str(n), at_ms, "") for n, at_ms in enumerate(times)]
    kept = thinned(findings)
    assert len(kept) <= MAX_OPEN
    for finding in kept:
        near = [other for other in kept if 0 <= other.at_ms - finding.at_ms < 60_000]
        assert len(near) <= PER_MINUTE
    assert bool(kept) == bool(times)
    assert not times or kept[0].at_ms == min(times)


def test_room_is_never_negative():
    assert room(recent=PER_MINUTE + 4, open_=0) == room(recent=0, open_=MAX_OPEN + 1) == 0
    assert room(recent=1, open_=1) == PER_MINUTE - 1
    assert room(recent=0, open_=MAX_OPEN - 1) == 1
