"""Numbers at Twilio: compared, and set right."""

import pytest

from calls.services import numbers
from tests import factories
from tests.calls import rest as twilio_rest

pytestmark = pytest.mark.django_db

E164 = "+31201234567"
SID = "PN" + "1" * 32
RIGHT: dict[str, str | None] = {
    "voice_url": "https://calls.example.com/twilio/voice/",
    "voice_method": "POST",
    "voice_fallback_url": "https://calls.example.com/twilio/fallback/",
    "voice_fallback_method": "POST",
    "status_callback": "https://calls.example.com/twilio/call-status/",
    "status_callback_method": "POST",
    "voice_application_sid": None,
    "trunk_sid": None,
}


@pytest.fixture
def rest():
    with twilio_rest.rest() as scripted:
        yield scripted


@pytest.fixture
def number():
    return factories.number(e164=E164)


def at_twilio(rest, **fields):
    body = {"sid": SID, "phone_number": E164, "friendly_name": "Support", **RIGHT, **fields}
    rest.on("GET", "/IncomingPhoneNumbers.json", 200, twilio_rest.page("incoming_phone_numbers", [body]))
    rest.on("POST", f"/IncomingPhoneNumbers/{SID}.json", 200, {**body, **RIGHT})


def test_a_number_that_is_right(rest, number):
    at_twilio(rest)
    assert numbers.compare(number) == []
    assert number.webhook_state == "right"


def test_timeouts_in_the_address_are_no_difference(rest, number):
    at_twilio(rest, status_callback=f"{RIGHT['status_callback']}#rc=3&rp=all")
    assert numbers.compare(number) == []


def test_what_differs_is_told_and_only_looked_at(rest, number):
    at_twilio(rest, voice_url="https://demo.twilio.com/welcome/voice/", voice_application_sid="AP" + "1" * 32)
    assert [difference.field for difference in numbers.compare(number)] == [
        "voice_url",
        "voice_application_sid",
    ]
    assert number.webhook_state == "differs"
    assert rest.posts() == []


def test_connecting_sets_what_differs_and_no_more(rest, number):
    at_twilio(rest, voice_url="", voice_application_sid="AP" + "1" * 32, voice_method="GET")
    changed = numbers.connect(number)
    assert {difference.field for difference in changed} == {
        "voice_url",
        "voice_method",
        "voice_application_sid",
    }
    [asked] = rest.posts()
    assert asked.form == {
        "VoiceUrl": RIGHT["voice_url"],
        "VoiceMethod": "POST",
        "VoiceApplicationSid": "",
    }
    assert number.webhook_state == "right"


def test_connecting_what_is_right_changes_nothing(rest, number):
    at_twilio(rest)
    assert numbers.connect(number) == []
    assert rest.posts() == []


def test_a_number_of_somebody_else(rest, number):
    rest.on("GET", "/IncomingPhoneNumbers.json", 200, twilio_rest.page("incoming_phone_numbers", []))
    with pytest.raises(numbers.NotOurs, match="no number"):
        numbers.compare(number)


def test_a_number_that_only_contains_ours_is_not_it(rest, number):
    at_twilio(rest, phone_number=E164 + "8")
    with pytest.raises(numbers.NotOurs):
        numbers.compare(number)
