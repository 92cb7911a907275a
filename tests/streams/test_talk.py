"""Who talks, from levels: shares that add up, silence and overtalk that begin and end where they should."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.audio import SILENCE_FLOOR, Level
from streams.talk import HOLD_MS, SPEAKING_DBFS, STALLED_MS, Talk

TICK = 100
SPEECH, SHOUT, HUSH = Level(-20.0, -8.0), Level(-4.0, -0.17), Level(-60.0, -50.0)
LEVEL = st.none() | st.floats(SILENCE_FLOOR, 0).map(lambda rms: Level(rms, min(0.0, rms + 6)))


def heard(*parts: tuple[Level | None, Level | None, int], met: bool = True) -> Talk:
    """A talk of parts, each (inbound, outbound, ms)."""
    talk = Talk(met=met)
    for inbound, outbound, ms in parts:
        hear(talk, inbound, outbound, ms)
    return talk


def hear(talk: Talk, inbound: Level | None, outbound: Level | None, ms: int) -> None:
    for _ in range(ms // TICK):
        talk.hear(inbound, outbound, at_ms=talk.at_ms + TICK)


def test_each_sides_share_holds_the_holes_between_words():
    talk = heard((SPEECH, None, 2000), (None, None, 500), (SPEECH, None, 1000), (None, SPEECH, 3000))
    shares = talk.message()
    assert shares["inbound_ms"] == 2000 + 500 + 1000 + HOLD_MS - TICK
    assert shares["outbound_ms"] == 3000
    assert shares["both_ms"] == HOLD_MS - TICK
    assert shares["silent_ms"] == 0


def test_silence_lasts_since_the_last_word_and_ends_with_the_next():
    talk = heard((SPEECH, None, 1000), (HUSH, None, 5000))
    assert talk.silence == (5000, 1000)
    hear(talk, None, SPEECH, 100)
    assert talk.message()["silence_ms"] == 0
    assert talk.figures()["longest_silence"] == {"ms": 5000, "at_ms": 1000}


def test_time_in_which_we_stood_still_is_nobodys_silence():
    talk = heard((SPEECH, None, 1000), (HUSH, HUSH, 1000))
    talk.hear(HUSH, HUSH, at_ms=talk.at_ms + 11_000)
    assert talk.message()["silent_ms"] == 1000 - HOLD_MS + TICK
    assert talk.silence[0] == 0
    hear(talk, HUSH, HUSH, 3000)
    assert talk.silence == (3000, 13_000)


def test_a_pause_for_breath_is_no_silence():
    assert heard((SPEECH, None, 1000), (HUSH, HUSH, HOLD_MS - TICK)).silence[0] == 0


def test_overtalk_lasts_while_both_speak():
    talk = heard((SPEECH, None, 1000), (SPEECH, SPEECH, 4000))
    assert talk.overtalk == (4000, 1000)
    hear(talk, SPEECH, None, 2000)
    assert talk.overtalk[0] == 0
    assert talk.figures()["longest_both"] == {"ms": 4000 + HOLD_MS - TICK, "at_ms": 1000}


def test_until_two_are_connected_there_is_neither_silence_nor_overtalk():
    talk = heard((SPEECH, SHOUT, 5000), (None, SHOUT, 60_000), met=False)
    assert set(talk.message().values()) == {0}
    assert (talk.silence[0], talk.overtalk[0]) == (0, 0)
    assert set(talk.take_recent()) == {"inbound"}  # how loud the caller is may be judged; music may not


def test_a_hold_ends_what_went_on_and_the_silence_after_it_is_new():
    talk = heard((SPEECH, SPEECH, 1000), (None, None, 5000))
    talk.meet(False)
    hear(talk, None, SHOUT, 10_000)
    talk.meet(True)
    hear(talk, None, None, 2000)
    assert talk.silence == (2000, 16_000)
    assert talk.message()["silent_ms"] == 5000 - HOLD_MS + TICK + 2000


def test_what_was_paused_is_counted_nowhere():
    talk = heard((SPEECH, None, 1000), (None, None, 5000))
    before = talk.message()["silent_ms"]
    talk.skip(60_000)
    assert (talk.message()["silent_ms"], talk.silence[0]) == (before, 0)
    hear(talk, None, None, 3000)
    assert talk.silence == (3000, 60_000)


def test_a_level_is_the_power_of_a_second_not_of_a_tick():
    talk = heard((SHOUT, None, TICK), (HUSH, None, 900))
    dbfs, at_ms, _ = talk.take_recent()["inbound"]
    assert dbfs == pytest.approx(-4 - 10, abs=0.1)  # a tenth of the power
    assert at_ms == 0


def test_the_loudest_second_since_the_last_look_is_given_once_and_the_loudest_of_all_is_kept():
    talk = heard((SPEECH, HUSH, 1000), (SHOUT, HUSH, 1000), (SPEECH, HUSH, 1000))
    dbfs, at_ms, _ = talk.take_recent()["inbound"]
    assert (round(dbfs, 1), at_ms) == (-4.0, 1000)
    assert talk.take_recent() == {}
    hear(talk, SPEECH, HUSH, 1000)
    assert talk.take_recent()["inbound"][0] == pytest.approx(-20)
    side = talk.figures()["inbound"]
    assert (side["loudest_dbfs"], side["loudest_at_ms"]) == (-4.0, 1000)


def test_what_is_clipped_is_counted_and_the_worst_second_told():
    talk = heard((SHOUT, None, 400), (SPEECH, None, 600), (SHOUT, None, 100), (SPEECH, None, 900))
    assert talk.take_recent()["inbound"][2] == 400
    side = talk.figures()["inbound"]
    assert (side["clipped_ms"], side["clipped_most_ms"]) == (500, 400)


def test_a_tick_of_no_time_and_one_out_of_order_change_nothing():
    talk = heard((SPEECH, None, 1000))
    before = talk.figures()
    talk.hear(SHOUT, SHOUT, at_ms=1000)
    talk.hear(SHOUT, SHOUT, at_ms=400)
    assert talk.figures() == before


@given(st.lists(st.tuples(LEVEL, LEVEL, st.integers(1, 3000)), max_size=60))
def test_every_millisecond_is_somebodys_or_silent_and_no_longest_is_longer_than_all(ticks):
    talk = Talk(met=True)
    for inbound, outbound, ms in ticks:
        talk.hear(inbound, outbound, at_ms=talk.at_ms + ms)
        assert talk.silence[0] <= talk.at_ms
        assert talk.silence[0] == 0 or talk.overtalk[0] == 0
    figures = talk.figures()
    total = figures["inbound_ms"] + figures["outbound_ms"] - figures["both_ms"] + figures["silent_ms"]
    assert total == sum(ms for _, _, ms in ticks if ms <= STALLED_MS)
    assert figures["longest_both"]["ms"] <= figures["both_ms"]
    assert figures["longest_silence"]["ms"] <= talk.at_ms
    spoke = any(level and level.rms_dbfs > SPEAKING_DBFS for tick in ticks for level in tick[:2])
    assert spoke or figures["inbound_ms"] == figures["outbound_ms"] == 0
    for track in ("inbound", "outbound"):
        loudest = figures[track]["loudest_dbfs"]
        assert loudest is None or (SILENCE_FLOOR <= loudest <= 0 and math.isfinite(loudest))
