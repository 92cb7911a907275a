"""Numbers at Twilio: compared, and set right, in their region."""

from datetime import UTC, datetime, time

import pytest

from calls.gateway.client import GatewayError
from calls.models import Holiday, Hours, OpeningTime
from calls.selectors.numbers import opening
from calls.services import numbers
from tests import factories
from tests.calls import rest as twilio_rest
from tests.calls.numbers import E164, RIGHT, ROUTE, SID, Twilio
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def rest():
    with twilio_rest.rest() as scripted:
        yield scripted


@pytest.fixture
def number():
    return factories.number(e164=E164)


def compare(number):
    return [difference.field for difference in numbers.compare(number=number, now=NOON)]


def connect(number):
    return {difference.field for difference in numbers.connect(number=number, now=NOON)}


def test_a_number_that_is_right(rest, number):
    Twilio(rest)
    assert compare(number) == []
    number.refresh_from_db()
    assert (number.webhook_state, number.webhook_found, number.inbound_region) == ("right", {}, "us1")
    assert number.checked_at == NOON


def test_timeouts_in_the_address_are_no_difference(rest, number):
    Twilio(rest, status_callback=f"{RIGHT['status_callback']}#rc=3&rp=all")
    assert compare(number) == []


def test_what_differs_is_told_kept_and_only_looked_at(rest, number):
    Twilio(rest, voice_url="https://demo.twilio.com/welcome/voice/", voice_application_sid="AP" + "1" * 32)
    assert compare(number) == ["voice_url", "voice_application_sid"]
    number.refresh_from_db()
    assert number.webhook_state == "differs"
    assert number.webhook_found["voice_url"] == "https://demo.twilio.com/welcome/voice/"
    assert rest.posts() == []


def test_connecting_sets_what_differs_and_no_more(rest, number):
    Twilio(rest, voice_url="", voice_application_sid="AP" + "1" * 32, voice_method="GET")
    assert connect(number) == {"voice_url", "voice_method", "voice_application_sid"}
    [asked] = rest.posts()
    assert asked.form == {
        "VoiceUrl": RIGHT["voice_url"],
        "VoiceMethod": "POST",
        "VoiceApplicationSid": "",
    }
    assert number.webhook_state == "right"


def test_connecting_what_is_right_changes_nothing(rest, number):
    Twilio(rest)
    assert connect(number) == set()
    assert rest.posts() == []


def test_a_number_of_somebody_else_is_told_and_shown_as_not_connected(rest, number):
    Twilio(rest, phone_number=E164 + "8")  # one that only contains ours is not it
    with pytest.raises(numbers.NotOurs, match="no number"):
        compare(number)
    number.refresh_from_db()
    assert number.webhook_state == "differs"


IRELAND = {"ie1": {"tokens": ["irish"], "key": "", "secret": ""}}


def test_a_number_of_ireland_is_asked_there_and_its_route_at_home(rest, settings):
    settings.TWILIO_REGIONS = IRELAND
    Twilio(rest, voice_region="ie1")
    assert compare(factories.number(e164=E164, region="ie1")) == []
    assert {(asked.path, asked.headers["Host"]) for asked in rest.asked} == {
        ("/IncomingPhoneNumbers.json", "api.dublin.ie1.twilio.com"),
        (ROUTE, "api.twilio.com"),
    }


def test_a_number_moves_by_its_addresses_first_and_its_route_last(rest, settings):
    settings.TWILIO_REGIONS = IRELAND
    twilio = Twilio(rest, voice_url="")
    assert connect(factories.number(e164=E164, region="ie1")) == {"voice_url", "inbound_region"}
    assert [asked.path for asked in rest.posts()] == [f"/IncomingPhoneNumbers/{SID}.json", ROUTE]
    assert rest.posts()[1].form == {"VoiceRegion": "ie1"}
    assert twilio.voice_region == "ie1"


def test_half_a_move_is_told_as_it_is(rest, settings):
    settings.TWILIO_REGIONS = IRELAND
    Twilio(rest, voice_url="")
    rest.on("POST", ROUTE, *twilio_rest.error(400, 20001))
    number = factories.number(e164=E164, region="ie1")
    with pytest.raises(GatewayError):
        connect(number)
    number.refresh_from_db()
    assert (number.webhook_state, number.webhook_found) == ("differs", {"inbound_region": "us1"})


def test_what_was_seen_of_a_number_that_was_changed_meanwhile_is_not_noted(rest, number):
    Twilio(rest)
    type(number).objects.filter(pk=number.pk).update(region="au1")
    numbers.compare(number=number, now=NOON)
    number.refresh_from_db()
    assert number.webhook_state == "unknown"


def test_numbers_to_pick_from_are_those_that_are_not_here(rest, number):
    other = {"sid": "PN" + "2" * 32, "phone_number": "+31207654321", "friendly_name": "Night desk", **RIGHT}
    ours = {"sid": SID, "phone_number": E164, "friendly_name": "Support", **RIGHT}
    rest.on(
        "GET", "/IncomingPhoneNumbers.json", 200, twilio_rest.page("incoming_phone_numbers", [ours, other])
    )
    assert [(one.e164, one.label) for one in numbers.unconnected(region="us1")] == [
        ("+31207654321", "Night desk")
    ]


# -- opening hours, as the number's page tells them ------------------------------------------------


def hours(*spans, zone="Europe/Amsterdam", **holidays):
    made = Hours.objects.create(name="Office", time_zone=zone)
    for weekday, opens, closes in spans:
        OpeningTime.objects.create(hours=made, weekday=weekday, opens=opens, closes=closes)
    for day, name in holidays.items():
        Holiday.objects.create(hours=made, day=day.replace("_", "-").strip("d"), name=name)
    return made


@pytest.mark.parametrize(
    ("utc", "is_open", "until"),
    [
        ("2026-11-20 12:00", True, "2026-11-20 17:00"),  # a Friday, 13:00 in Amsterdam
        ("2026-11-20 16:00", False, "2026-11-23 09:00"),  # closes at 17:00 exactly
        ("2026-11-23 07:59", False, "2026-11-23 09:00"),
        ("2026-11-23 08:00", True, "2026-11-23 17:00"),
    ],
)
def test_open_or_closed_and_until_when(utc, is_open, until):
    office = hours(*((day, time(9), time(17)) for day in range(5)))
    state = opening(office, now=datetime.fromisoformat(utc).replace(tzinfo=UTC))
    assert (state.is_open, f"{state.until:%Y-%m-%d %H:%M}") == (is_open, until)


def test_a_holiday_is_closed_and_the_night_is_one_span():
    always = hours(*((day, time(0), time(0)) for day in range(7)), d2026_11_25="Feast")
    state = opening(always, now=datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert (state.is_open, f"{state.until:%Y-%m-%d %H:%M}") == (True, "2026-11-25 00:00")
    assert not opening(always, now=datetime(2026, 11, 25, 12, tzinfo=UTC)).is_open


def test_hours_without_times_are_always_closed():
    assert opening(hours(), now=NOON).until is None
