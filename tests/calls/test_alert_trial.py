"""A rule tried on calls that are over: what it would have found, or why that cannot be said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.models import Call, Utterance
from calls.phrases import phrases
from calls.rules import PER_MINUTE, Rule
from calls.selectors.trials import Kept, Tapped
from calls.services.alert_trial import try_on

MINUTE = 60_000
SPAN = st.tuples(st.integers(0, 10 * MINUTE), st.integers(1, MINUTE)).map(lambda pair: (pair[0], sum(pair)))


def rule(kind, **more):
    return Rule(**{"id": 1, "kind": kind, **more})


def line(start_s, end_s, text="hello", speaker="caller"):
    track = "inbound" if speaker == "caller" else "outbound"
    return Utterance(
        stream_sid="MZ1", track=track, number=start_s, speaker=speaker,
        start_ms=int(start_s * 1000), end_ms=int(end_s * 1000), text=text,
    )  # fmt: skip


def talk(**more):
    side = {"loudest_dbfs": -20.0, "loudest_at_ms": 4000, "clipped_ms": 0, "clipped_most_ms": 0}
    none = {"ms": 0, "at_ms": 0}
    return {"longest_silence": none, "longest_both": none, "inbound": side, "outbound": side, **more}


def kept(*, lines=(), streams=None, answered_ms=0, ended_ms=2 * MINUTE, **more):
    streams = (Tapped(0, ended_ms, True),) if streams is None else streams
    return Kept(Call(pk=7), ended_ms, answered_ms, tuple(lines), tuple(streams), **more)


def tried(of, call):
    (one,) = try_on(rule=of, calls=[call])
    return one


def places(of, call):
    return [(finding.at_ms, finding.quote) for finding in tried(of, call).alerts]


def test_words_are_found_where_they_were_said_as_often_as_they_would_have_been_told():
    wants = rule("words", phrases=phrases("cancel"), speaker="caller")
    said = [line(1, 2, "Cancel it"), line(3, 4, "cancel?", "agent"), line(80, 81, "I said cancel")]
    assert places(wants, kept(lines=said)) == [(1000, "Cancel it"), (80_000, "I said cancel")]
    assert len(places(wants, kept(lines=[line(n, n + 1, "cancel") for n in range(50)]))) == PER_MINUTE
    assert "nothing that was said" in tried(wants, kept()).why


def test_silence_is_looked_for_between_lines():
    quiet = rule("silence", seconds=30)
    said = [line(0, 10), line(50, 55, speaker="agent"), line(70, 119)]
    assert places(quiet, kept(lines=said)) == [(10_000, "Nobody spoke for 40 s")]
    assert "levels decide" in tried(quiet, kept(lines=said)).note


def test_what_did_not_reach_us_and_what_was_before_the_answer_is_no_silence():
    quiet = rule("silence", seconds=30)
    lost = Tapped(0, 2 * MINUTE, True, gaps=((20_000, 50_000),))
    said = [line(0, 10), line(60, 119)]
    assert places(quiet, kept(lines=said, streams=[lost])) == []
    assert places(quiet, kept(lines=[line(60, 119)], answered_ms=40_000)) == []


def test_the_levels_know_better_than_the_lines_that_nobody_was_silent():
    quiet = rule("silence", seconds=30)
    stream = Tapped(0, 2 * MINUTE, True, talk(longest_silence={"ms": 8000, "at_ms": 12_000}))
    assert places(quiet, kept(lines=[line(0, 10), line(60, 119)], streams=[stream])) == []


def test_the_longest_silence_of_the_levels_counts_where_no_line_shows_it():
    quiet = rule("silence", seconds=30)
    stream = Tapped(5000, 2 * MINUTE, True, talk(longest_silence={"ms": 45_000, "at_ms": 12_000}))
    assert places(quiet, kept(streams=[stream])) == [(17_000, "Nobody spoke for 45 s")]


@pytest.mark.parametrize("kind", ["silence", "overtalk"])
def test_without_lines_and_levels_it_says_so(kind):
    assert "no lines and no levels" in tried(rule(kind, seconds=5), kept()).why


@pytest.mark.parametrize("kind", ["silence", "overtalk", "stream_lost"])
def test_where_nobody_was_connected_it_says_so(kind):
    assert "nobody was connected" in tried(rule(kind, seconds=5), kept(answered_ms=None)).why


@pytest.mark.parametrize("kind", ["level", "clipping"])
def test_without_levels_it_says_so(kind):
    one = tried(rule(kind, dbfs=-10), kept(lines=[line(1, 2)]))
    assert "no levels" in one.why
    assert one.alerts == ()


def test_the_loudest_second_of_each_side_is_judged():
    loud = {"loudest_dbfs": -3.0, "loudest_at_ms": 9000, "clipped_ms": 900, "clipped_most_ms": 600}
    call = kept(streams=[Tapped(1000, MINUTE, True, talk(outbound=loud))])
    assert places(rule("level", dbfs=-10), call) == [(10_000, "Agent −3.0 dBFS")]
    assert places(rule("level", dbfs=-10, speaker="caller"), call) == []
    assert places(rule("clipping"), call) == [(10_000, "Agent clipped for 0.6 s of a second")]
    agents = kept(streams=[Tapped(1000, MINUTE, False, talk(outbound=loud))])
    assert places(rule("level", dbfs=-10), agents) == [(10_000, "Caller −3.0 dBFS")]


def test_overtalk_is_of_the_levels_where_there_are_any_else_of_lines():
    both = rule("overtalk", seconds=5)
    measured = [Tapped(0, MINUTE, True, talk(longest_both={"ms": 7000, "at_ms": 3000}))]
    assert places(both, kept(streams=measured)) == [(3000, "Both spoke at once for 7 s")]
    said = [line(0, 20), line(10, 30, speaker="agent"), line(40, 43), line(41, 60, speaker="agent")]
    assert places(both, kept(lines=said)) == [(10_000, "Both spoke at once for 10 s")]


def test_length_and_a_lost_stream_are_of_times_alone():
    assert places(rule("length", seconds=60), kept()) == [(60_000, "The call has lasted 1 min")]
    assert places(rule("length", seconds=121), kept()) == []
    lost = [Tapped(0, 30_000, True), Tapped(50_000, 2 * MINUTE, True)]
    assert places(rule("stream_lost", seconds=15), kept(streams=lost)) == [(30_000, "No stream for 20 s")]
    assert places(rule("stream_lost", seconds=15), kept(streams=[])) == []  # it was not to be streamed


def test_help_is_found_each_time_it_was_asked_for():
    assert places(rule("help"), kept(helps_ms=(5000, 99_000))) == [
        (5000, "Asked for help"),
        (99_000, "Asked for help"),
    ]


@given(st.lists(SPAN, max_size=30), st.integers(1, 60))
def test_every_silence_told_lies_in_the_call_and_nobody_spoke_in_it(spans, seconds):
    said = [line(start / 1000, end / 1000) for start, end in spans]
    call = kept(lines=said, ended_ms=12 * MINUTE)
    for finding in tried(rule("silence", seconds=seconds), call).alerts:
        until = finding.at_ms + seconds * 1000
        assert 0 <= finding.at_ms <= until <= call.ended_ms
        assert not [each for each in said if each.start_ms < until and each.end_ms > finding.at_ms]
