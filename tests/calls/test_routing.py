"""Who gets which call, by a pure function: nobody is skipped, nobody gets two, nobody waits for nothing."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from calls.routing import Free, Wait, decide, in_order, may_take

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MOMENTS = st.integers(0, 30).map(lambda seconds: NOON + timedelta(seconds=seconds))
QUEUES = st.integers(1, 3)


@st.composite
def worlds(draw):
    """Some who wait and some who are free."""
    agents = [
        Free(key, draw(MOMENTS), draw(st.frozensets(QUEUES)), draw(st.booleans()))
        for key in range(draw(st.integers(0, 6)))
    ]
    waits = [
        Wait(
            key=key,
            queue=draw(QUEUES | st.none()),
            agent=draw(st.none() | st.integers(0, 6)),
            priority=draw(st.integers(-9, 10)),
            since=draw(MOMENTS),
            is_callback=draw(st.booleans()),
            is_own=draw(st.booleans()),
        )
        for key in range(draw(st.integers(0, 8)))
    ]
    return waits, agents


@given(worlds())
def test_no_agent_gets_two_calls_and_no_call_two_agents(world):
    pairs = decide(*world)
    assert len({pair.agent for pair in pairs}) == len(pairs)
    assert len({pair.wait for pair in pairs}) == len(pairs)


@given(worlds())
def test_nobody_gets_a_call_that_they_may_not_take(world):
    waits, agents = world
    by_key = {agent.key: agent for agent in agents}
    assert all(may_take(by_key[pair.agent], pair.wait) for pair in decide(waits, agents))


@given(worlds())
def test_nobody_waits_while_a_free_agent_may_take_them(world):
    waits, agents = world
    pairs = decide(waits, agents)
    given_to = {pair.agent for pair in pairs}
    left = set(waits) - {pair.wait for pair in pairs}
    idle = [agent for agent in agents if agent.key not in given_to]
    assert not [(wait, agent) for wait in left for agent in idle if may_take(agent, wait)]


@given(worlds())
def test_no_caller_is_skipped_for_one_behind(world):
    """Who is served gets an agent whom nobody before them, still waiting, might have had."""
    waits, agents = world
    pairs = decide(waits, agents)
    by_key = {agent.key: agent for agent in agents}
    taken = {pair.wait: by_key[pair.agent] for pair in pairs}
    order = in_order(waits)
    for place, wait in enumerate(order):
        if wait not in taken:
            assert not [later for later in order[place:] if later in taken and may_take(taken[later], wait)]


@given(worlds())
def test_the_order_of_the_rows_decides_nothing(world):
    waits, agents = world
    assert decide(waits, agents) == decide(list(reversed(waits)), list(reversed(agents)))


def test_the_longest_idle_agent_gets_the_call():
    early, late = Free(2, NOON, frozenset({1})), Free(1, NOON + timedelta(seconds=1), frozenset({1}))
    (pair,) = decide([Wait(1, 1, None, 0, NOON)], [late, early])
    assert pair.agent == 2


def test_priority_comes_before_patience():
    patient = Wait(1, 1, None, 0, NOON)
    urgent = Wait(2, 1, None, 5, NOON + timedelta(minutes=5))
    (pair,) = decide([patient, urgent], [Free(1, NOON, frozenset({1}))])
    assert pair.wait == urgent


def test_a_lost_call_comes_back_even_to_an_agent_who_is_away():
    away = Free(1, NOON, frozenset({1}), only_own=True)
    own = Wait(1, 1, 1, 10, NOON, is_own=True)
    assert [pair.agent for pair in decide([own], [away])] == [1]
    assert decide([Wait(2, 1, None, 0, NOON), Wait(3, None, 1, 0, NOON)], [away]) == []
