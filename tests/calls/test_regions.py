"""Only a call's own region may speak for it: webhooks and handshakes, and how a new call gets its region."""

from typing import Any

import pytest

from calls.models import Call, Leg
from calls.signature import handshake_signers, webhook_signers
from tests import factories, twilio

pytestmark = pytest.mark.django_db

E164 = "+31201234567"
REGIONS = {
    "ie1": {"tokens": ["irish", "irish-next"], "key": "", "secret": ""},
    "au1": {"tokens": ["austral"], "key": "", "secret": ""},
}
TOKENS = {"us1": ["home"], "ie1": ["old", "new"], "au1": [""]}


@pytest.fixture(autouse=True)
def three_regions(settings):
    settings.TWILIO_REGIONS = REGIONS


def born(client, token, region="us1"):
    """A call to a number of this region, whose first webhook was signed by this token; its region."""
    factories.number(e164=E164, region=region)
    assert twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(), token=token).status_code == 200
    return Call.objects.get().region


def status(client, token, word="in-progress", **fields):
    posted = twilio.status_fields(word, sequence=1, **fields)
    return twilio.signed_post(client, "/twilio/call-status/", posted, token=token).status_code


@pytest.mark.parametrize(
    ("token", "region"),
    [
        ("first-token", "us1"),
        ("next-token", "us1"),
        ("irish", "ie1"),
        ("irish-next", "ie1"),
        ("austral", "au1"),
    ],
)
def test_a_new_call_is_of_the_region_that_signed_also_while_its_number_moves(client, token, region):
    assert born(client, token) == region


@pytest.mark.parametrize(
    ("token", "answer"), [("irish", 204), ("irish-next", 204), ("first-token", 403), ("austral", 403)]
)
def test_a_known_call_is_spoken_for_by_its_own_region_alone(client, token, answer, caplog):
    born(client, "irish", region="ie1")
    assert status(client, token) == answer
    assert Leg.objects.get().status == ("in-progress" if answer == 204 else "ringing")
    assert ("twilio.signature.region" in caplog.messages) == (answer == 403)


def test_a_replay_of_the_first_webhook_by_another_region_gets_nothing(client):
    born(client, "irish", region="ie1")
    answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(), token="austral")
    assert (answer.status_code, answer.content) == (403, b"")


def test_a_leg_that_we_do_not_know_is_of_its_parents_region(client):
    born(client, "irish", region="ie1")
    child = {"CallSid": factories.sid("CA"), "ParentCallSid": twilio.CALL_SID}
    assert status(client, "first-token", **child) == 403
    assert status(client, "irish", **child) == 204
    assert Leg.objects.count() == 2


def test_a_call_goes_on_by_either_token_of_its_region(client):
    born(client, "first-token")
    assert status(client, "next-token") == 204
    assert status(client, "first-token", "completed") == 204
    assert Call.objects.get().state == "ended"


def test_one_region_asks_no_question_of_the_database(client, settings, django_assert_num_queries):
    settings.TWILIO_REGIONS = {}
    posted = twilio.stream_fields("stream-started", AccountSid="AC" + "b" * 32)
    with django_assert_num_queries(0):
        twilio.signed_post(client, "/twilio/stream-status/", posted)


def test_regions_that_share_a_token_are_not_told_apart_by_it(client, settings):
    settings.TWILIO_REGIONS = {"ie1": {"tokens": ["first-token"], "key": "", "secret": ""}}
    assert born(client, "first-token", region="ie1") == "ie1"


@pytest.mark.parametrize(
    ("token", "signers"),
    [("home", {"us1"}), ("old", {"ie1"}), ("new", {"ie1"}), ("other", set()), ("", set())],
)
def test_who_signed_is_told_by_region_and_an_empty_token_never(token, signers):
    site = "https://cc.example.com"
    made = twilio.signature(f"{site}/a/", {"b": "c"}, token=token)
    asked: dict[str, Any] = {"public_url": site, "tokens": TOKENS}
    assert webhook_signers(**asked, path="/a/", fields={"b": "c"}, signature=made) == signers
    made = twilio.signature("wss://cc.example.com/media/n/", token=token)
    assert handshake_signers(**asked, raw_path="/media/n/", signature=made) == signers


@pytest.mark.parametrize("signature", [None, "", "é" * 28, "A" * 10_000, 7])
def test_what_cannot_be_read_was_signed_by_nobody(signature):
    asked = {"public_url": "https://cc.example.com", "tokens": TOKENS, "signature": signature}
    assert webhook_signers(**asked, path="/a/", fields={}) == frozenset()
    assert handshake_signers(**asked, raw_path="/a/") == frozenset()
