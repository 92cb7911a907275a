"""The place and the time of a number, from the number alone."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import place

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("caller", "shown", "where", "local"),
    [
        ("+31201234567", "+31 20 123 4567", "Amsterdam", "13:00"),
        ("+31612345678", "+31 6 12345678", "Netherlands", "13:00"),
        ("+442079460000", "+44 20 7946 0000", "London", "12:00"),
        ("+12125551234", "+1 212-555-1234", "New York, NY", "07:00"),
        ("+353861234567", "+353 86 123 4567", "Ireland", "12:00"),
        ("+447700900102", "+44 7700 900102", "United Kingdom", "12:00"),  # given to nobody
    ],
)
def test_a_number_tells_its_place_and_time(caller: str, shown: str, where: str, local: str) -> None:
    found = place.of(caller)
    assert (found.shown, found.place) == (shown, where)
    assert place.time_there(found, NOON)[0] == local


@pytest.mark.parametrize("caller", ["+61412345678", "+18005551234"])
def test_a_number_of_many_time_zones_tells_no_time(caller: str) -> None:
    assert place.time_there(place.of(caller), NOON) == ("", "")


@pytest.mark.parametrize("caller", ["", "anonymous", "Restricted", "+266696687", "+7378742833"])
def test_who_withholds_the_number_has_no_place(caller: str) -> None:
    assert place.of(caller) == place.Place("Withheld")


@pytest.mark.parametrize(
    "caller", ["client:jonas", "sip:carla@example.com", "+999123456789", "+3161234567890123456", "12", "<b>"]
)
def test_an_odd_caller_is_shown_as_it_is(caller: str) -> None:
    found = place.of(caller)
    assert (found.shown, found.place, place.time_there(found, NOON)) == (caller, "", ("", ""))


@given(st.text(max_size=60))
def test_no_caller_raises(caller: str) -> None:
    place.time_there(place.of(caller), NOON)
