"""What one browser is still to get: events once and in order, ticks the latest only, all of it bounded."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from calls.outbox import (
    EVENTS_BEHIND,
    LEVELS_UNDER_WAY,
    NOTICES_WAITING,
    PARTIALS_WAITING,
    PASSING_UNDER_WAY,
    Behind,
    Outbox,
    with_ids,
)


def taken(outbox: Outbox) -> list[Any]:
    """What leaves now, decoded where it is JSON."""
    return [json.loads(text) if text.startswith("{") else text for text in outbox.take()]


def test_events_leave_once_and_name_the_one_before() -> None:
    outbox = Outbox(last_id=4)
    outbox.event(5, '{"type":"call","call":1}')
    outbox.event(9, '{"type":"call","call":2}')
    assert taken(outbox) == [
        {"id": 5, "after": 4, "type": "call", "call": 1},
        {"id": 9, "after": 5, "type": "call", "call": 2},
    ]
    assert taken(outbox) == []


def test_an_event_that_was_seen_is_not_sent_again() -> None:
    outbox = Outbox(last_id=9)
    outbox.event(9, '{"type":"call"}')
    outbox.event(3, '{"type":"call"}')
    assert taken(outbox) == []


def test_ids_are_put_in_front_of_what_was_encoded_once() -> None:
    assert json.loads(with_ids('{"type":"gap"}', id_=2, after=1)) == {"id": 2, "after": 1, "type": "gap"}


def test_two_levels_may_be_under_way_and_the_newest_waits() -> None:
    outbox = Outbox()
    for text in ("one", "two", "three", "four"):
        outbox.levels("media-1", text)
        if text in {"one", "two"}:
            assert outbox.take() == [text]
    assert outbox.take() == []
    assert outbox.ack()
    assert outbox.take() == ["four"]


def test_each_media_process_has_its_own_two() -> None:
    outbox = Outbox()
    for n in range(LEVELS_UNDER_WAY):
        outbox.levels("media-1", f"a{n}")
        outbox.levels("media-2", f"b{n}")
        assert outbox.take() == [f"a{n}", f"b{n}"]
    outbox.levels("media-1", "late")
    outbox.levels("media-2", "late")
    assert outbox.take() == []


def test_an_acknowledgement_of_nothing_is_told() -> None:
    assert not Outbox().ack()


def test_a_partial_line_replaces_the_one_of_its_track() -> None:
    outbox = Outbox()
    outbox.partial("MZ1", "inbound", "good")
    outbox.partial("MZ1", "outbound", "hello")
    outbox.partial("MZ1", "inbound", "good morning")
    assert sorted(outbox.take()) == ["good morning", "hello"]


def test_a_final_line_takes_the_place_of_the_partial_one_that_waits() -> None:
    outbox = Outbox()
    outbox.partial("MZ1", "inbound", "good mor")
    outbox.final("MZ1", "inbound")
    assert outbox.take() == []


def test_final_lines_leave_before_partial_ones_and_levels() -> None:
    outbox = Outbox()
    outbox.levels("media-1", "levels")
    outbox.health("media-1", "health")
    outbox.partial("MZ1", "inbound", "partial")
    outbox.event(1, '{"type":"utterance"}')
    kinds = [one if isinstance(one, str) else one["type"] for one in taken(outbox)]
    assert kinds == ["utterance", "partial", "health", "levels"]


def test_a_browser_that_proves_nothing_gets_no_endless_partial_lines() -> None:
    outbox = Outbox()
    outbox.levels("media-1", "levels")
    outbox.take()
    sent = 0
    for n in range(PASSING_UNDER_WAY * 2):
        outbox.partial("MZ1", "inbound", f"line {n}")
        sent += len(outbox.take())
    assert sent == PASSING_UNDER_WAY
    outbox.ack()
    assert outbox.take() == [f"line {PASSING_UNDER_WAY * 2 - 1}"]


def test_a_browser_too_far_behind_is_given_up() -> None:
    outbox = Outbox()
    for id_ in range(1, EVENTS_BEHIND + 1):
        outbox.event(id_, '{"type":"call"}')
    with pytest.raises(Behind):
        outbox.event(EVENTS_BEHIND + 1, '{"type":"call"}')


def test_events_that_were_sent_count_as_behind_until_an_acknowledgement_proves_them() -> None:
    outbox = Outbox()
    outbox.levels("media-1", "levels")
    outbox.take()
    for id_ in range(1, EVENTS_BEHIND + 1):
        outbox.event(id_, '{"type":"call"}')
        outbox.take()
    assert outbox.behind() == EVENTS_BEHIND
    with pytest.raises(Behind):
        outbox.event(EVENTS_BEHIND + 1, '{"type":"call"}')
    outbox.ack()
    assert outbox.behind() == 0 or not outbox._proofs


def test_without_levels_a_quick_browser_is_never_behind() -> None:
    outbox = Outbox()
    for id_ in range(1, EVENTS_BEHIND * 4):
        outbox.event(id_, '{"type":"call"}')
        outbox.take()
    assert outbox.behind() == 0


def test_hello_begins_anew_with_the_answer() -> None:
    outbox = Outbox(last_id=7)
    outbox.event(8, '{"type":"call"}')
    outbox.partial("MZ1", "inbound", "old")
    outbox.restart(20, "snapshot", "beat")
    outbox.event(21, '{"type":"call"}')
    assert outbox.take() == ["snapshot", "beat", '{"id":21,"after":20,"type":"call"}']


def test_what_waits_is_bounded() -> None:
    outbox = Outbox()
    for n in range(PARTIALS_WAITING + 50):
        outbox.partial(f"MZ{n}", "inbound", "x")
        outbox.notice("beat")
        outbox.levels("media-1", "levels")
    assert len(outbox._partials) == PARTIALS_WAITING
    assert len(outbox._notices) == NOTICES_WAITING
    assert len(outbox._levels) == 1


class Browser(RuleBasedStateMachine):
    """Whatever comes in whatever order: nothing is lost, doubled or out of order, nothing piles up."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox()
        self.put: list[int] = []
        self.got: list[dict[str, Any]] = []
        self.newest = ""
        self.under_way = 0
        self.waits = False

    @precondition(lambda self: self.outbox.behind() < EVENTS_BEHIND)
    @rule(step=st.integers(1, 50))
    def event(self, step: int) -> None:
        id_ = (self.put[-1] if self.put else 0) + step
        self.put.append(id_)
        self.outbox.event(id_, f'{{"type":"call","call":{id_}}}')

    @rule(n=st.integers(0, 10**6))
    def tick(self, n: int) -> None:
        self.newest = f"levels {n}"
        self.waits = True
        self.outbox.levels("media-1", self.newest)

    @rule()
    def ack(self) -> None:
        if self.outbox.ack():
            self.under_way -= 1

    @rule()
    def take(self) -> None:
        for one in taken(self.outbox):
            if isinstance(one, dict):
                self.got.append(one)
            else:
                assert one == self.newest, "an old level left although a newer one was there"
                self.under_way += 1
                self.waits = False
        assert not self.waits or self.under_way == LEVELS_UNDER_WAY

    @invariant()
    def events_are_whole(self) -> None:
        assert [one["id"] for one in self.got] == self.put[: len(self.got)]
        assert [one["after"] for one in self.got] == [0, *self.put][: len(self.got)]

    @invariant()
    def no_more_than_two_levels_are_under_way(self) -> None:
        assert 0 <= self.under_way <= LEVELS_UNDER_WAY


TestBrowser = Browser.TestCase


@given(st.text(), st.integers(1, 2**62), st.integers(0, 2**62))
def test_any_text_stays_the_same_with_ids_in_front(text: str, id_: int, after: int) -> None:
    body = json.dumps({"type": "utterance", "text": text})
    assert json.loads(with_ids(body, id_=id_, after=after)) == {
        "id": id_,
        "after": after,
        "type": "utterance",
        "text": text,
    }
