"""Statuses only rise, and a call is what its legs say."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from calls.lattice import LegFacts, has_ended, highest, known, outcome

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(minutes=2)


def test_a_late_ringing_moves_nothing_back():
    assert highest("completed", "ringing") == "completed"
    assert highest("queued", "initiated") == "initiated"


def test_of_two_endings_the_same_one_wins_in_any_order():
    endings = ["completed", "busy", "no-answer", "failed", "canceled"]
    for one, other in permutations(endings, 2):
        assert highest(one, other) == highest(other, one)
    assert all(has_ended(word) for word in endings)


def test_unknown_words_are_no_status():
    assert known("answered") == "in-progress"
    assert known("teleported") == ""


def first(status, answered=None, ended=None):
    return LegFacts(status, True, answered, ended)


def child(status, answered=None, ended=None):
    return LegFacts(status, False, answered, ended)


@pytest.mark.parametrize(
    ("legs", "dials", "state", "word"),
    [
        ([first("ringing")], True, "ringing", ""),
        ([first("in-progress", NOON)], True, "ringing", ""),
        ([first("in-progress", NOON)], False, "live", "answered"),
        ([first("in-progress", NOON), child("ringing")], True, "ringing", ""),
        ([first("in-progress", NOON), child("in-progress", NOON)], True, "live", "answered"),
        ([first("in-progress", NOON), child("completed", NOON, LATER)], True, "live", "answered"),
        ([first("completed", NOON, LATER), child("completed", NOON, LATER)], True, "ended", "answered"),
        ([first("completed", NOON, LATER), child("no-answer", None, LATER)], True, "ended", "missed"),
        ([first("completed", None, LATER), child("completed", None, LATER)], True, "ended", "answered"),
        ([first("completed", None, LATER)], False, "ended", "answered"),
        ([first("canceled", None, LATER)], False, "ended", "missed"),
        ([first("failed", None, LATER)], True, "ended", "failed"),
        ([], True, "ringing", ""),
    ],
)
def test_the_call_of_these_legs(legs, dials, state, word):
    result = outcome(legs, dials=dials)
    assert (result.state, result.outcome) == (state, word)
    assert (result.ended_at is not None) == (state == "ended")


@pytest.mark.parametrize(
    ("legs", "state", "word"),
    [
        ([child("ringing")], "ringing", ""),
        ([child("in-progress", NOON)], "ringing", ""),
        ([child("in-progress", NOON), first("ringing")], "ringing", ""),
        ([child("in-progress", NOON), first("in-progress", NOON)], "live", "answered"),
        # the agent's page was lost, or the call was handed on: the person is still there
        ([child("completed", NOON, LATER), first("in-progress", NOON)], "live", "answered"),
        ([child("in-progress", NOON), first("busy", None, LATER)], "ended", "missed"),
        ([child("in-progress", NOON), first("completed", NOON, LATER)], "ended", "answered"),
        ([child("no-answer", None, LATER)], "ended", "missed"),
        ([child("completed", NOON, LATER)], "ended", "missed"),
        ([], "ringing", ""),
    ],
)
def test_a_call_out_is_the_person_s_leg_once_there_is_one(legs, state, word):
    result = outcome(legs, dials=True, outbound=True)
    assert (result.state, result.outcome) == (state, word)
