"""Turns: chance and a seal."""

import re

from hypothesis import given
from hypothesis import strategies as st

from calls import turns

CHANCE = st.binary(min_size=turns.CHANCE_BYTES, max_size=turns.CHANCE_BYTES)


@given(st.text(), CHANCE)
def test_a_turn_knows_what_it_was_given_for(of, chance):
    turn = turns.make(of=of, key="secret", chance=chance)
    assert re.fullmatch("[0-9a-f]{32}", turn)
    assert turns.given_for(turn, of=of, key="secret")
    assert not turns.given_for(turn, of=of + "x", key="secret")
    assert not turns.given_for(turn, of=of, key="another")


@given(st.text(max_size=40), st.text(max_size=20))
def test_what_we_did_not_make_was_given_for_nothing(turn, of):
    assert not turns.given_for(turn, of=of, key="secret")
