"""The gateway: what is sent to Twilio, and every answer and failure told the same way."""

import base64
import socket
from datetime import UTC, datetime

import pytest
from django.test import override_settings

from calls.gateway import calls, numbers, recordings, routes, streams
from calls.gateway.client import GatewayError, client
from tests import twilio
from tests.calls import rest as twilio_rest

CALL = twilio.CALL_SID
STREAM = twilio.STREAM_SID


@pytest.fixture
def rest():
    with twilio_rest.rest() as scripted:
        yield scripted


def create(**more):
    asked = {
        "region": "us1",
        "call_sid": CALL,
        "url": "wss://calls.example.com/media/n/",
        "name": "tap",
        "track": "both_tracks",
        "status_callback": "https://calls.example.com/twilio/stream-status/",
        "parameters": {"call": "7", "who": "Mina & co"},
    }
    return streams.create(**{**asked, **more})


def refusal(function, *args, **more):
    with pytest.raises(GatewayError) as caught:
        function(*args, **more)
    error = caught.value
    assert error.text
    return error.code, error.permanent, error.unknown


def test_a_stream_is_created_with_all_that_twilio_needs(rest):
    rest.on("POST", f"/Calls/{CALL}/Streams.json", 201, twilio_rest.stream_body(STREAM))
    assert create() == STREAM
    [asked] = rest.asked
    assert asked.form == {
        "Url": "wss://calls.example.com/media/n/",
        "Name": "tap",
        "Track": "both_tracks",
        "StatusCallback": "https://calls.example.com/twilio/stream-status/",
        "StatusCallbackMethod": "POST",
        "Parameter1.Name": "call",
        "Parameter1.Value": "7",
        "Parameter2.Name": "who",
        "Parameter2.Value": "Mina & co",
    }
    credentials = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode()
    assert credentials == f"{twilio.ACCOUNT_SID}:first-token"


def test_either_success_code_is_success(rest):
    rest.on("POST", f"/Calls/{CALL}/Streams.json", 200, twilio_rest.stream_body(STREAM))
    assert create() == STREAM


def test_a_stream_is_stopped_by_name_or_id(rest):
    for which in ("agent-assist.1", STREAM):
        rest.on("POST", f"/Calls/{CALL}/Streams/{which}.json", 200, twilio_rest.stream_body(STREAM))
        streams.stop(region="us1", call_sid=CALL, sid_or_name=which)
    assert [asked.form for asked in rest.asked] == [{"Status": "stopped"}] * 2


def test_stopping_what_is_gone_is_done(rest):
    streams.stop(region="us1", call_sid=CALL, sid_or_name=STREAM)


@pytest.mark.parametrize("name", ["", "../Recordings", "a/b", "a b", "x" * 65, "é", "a?b"])
def test_a_name_that_would_change_the_path_is_never_sent(rest, name):
    assert refusal(streams.stop, region="us1", call_sid=CALL, sid_or_name=name)[0] == "20001"
    assert rest.asked == []


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, 20003, ("20003", True, False)),
        (404, 20404, ("20404", True, False)),
        (400, 21220, ("21220", True, False)),
        (400, 99999, ("99999", True, False)),
        (429, 20429, ("20429", False, False)),
        (500, 20500, ("20500", False, True)),
        (503, 20503, ("20503", False, True)),
    ],
)
def test_what_an_error_means(rest, status, code, expected):
    rest.on("POST", f"/Calls/{CALL}/Streams.json", *twilio_rest.error(status, code))
    assert refusal(create) == expected


def test_a_list_fails_like_everything_else(rest):
    rest.on("GET", "/IncomingPhoneNumbers.json", *twilio_rest.error(401, 20003))
    assert refusal(numbers.listed, region="us1") == ("20003", True, False)


def test_a_problem_in_the_newer_form_is_told_too(rest):
    problem = {
        "type": "https://www.twilio.com/docs/errors/20001",
        "title": "Invalid",
        "status": 400,
        "code": 20001,
    }
    rest.on("POST", f"/Calls/{CALL}/Streams.json", 400, problem)
    assert refusal(create) == ("20001", True, False)


@pytest.mark.parametrize("body", ["<html>proxy</html>", "", "null", "[]"])
def test_an_answer_that_is_none_leaves_the_outcome_open(rest, body):
    rest.on("POST", f"/Calls/{CALL}/Streams.json", 201, body)
    _, permanent, unknown = refusal(create)
    assert (permanent, unknown) == (False, True)


def test_a_lost_answer_leaves_the_outcome_open(rest):
    rest.on("POST", f"/Calls/{CALL}/Streams.json", 0, {})
    assert refusal(create) == ("timeout", False, True)


def test_a_late_answer_leaves_the_outcome_open():
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts in its backlog, never answers
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with override_settings(TWILIO_API_URL=url, TWILIO_TIMEOUT_SECONDS=0.2):
            assert refusal(create) == ("timeout", False, True)


def test_what_was_never_sent_may_be_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    with override_settings(TWILIO_API_URL=url):
        assert refusal(create) == ("unreachable", False, False)


@override_settings(TWILIO_AUTH_TOKENS=[])
def test_without_credentials_nothing_is_asked():
    assert refusal(create) == ("20003", True, False)


@override_settings(TWILIO_API_KEY="SK1", TWILIO_API_SECRET="s3cret")
def test_an_api_key_goes_before_the_token():
    assert client("us1").auth == ("SK1", "s3cret")
    assert client("us1").account_sid == twilio.ACCOUNT_SID


@override_settings(
    TWILIO_API_URL="",
    TWILIO_REGIONS={
        "ie1": {"tokens": ["irish"], "key": "", "secret": ""},
        "au1": {"tokens": [], "key": "SKau", "secret": "austral"},
    },
)
@pytest.mark.parametrize(
    ("region", "host", "auth"),
    [
        ("us1", "api.twilio.com", (twilio.ACCOUNT_SID, "first-token")),
        ("ie1", "api.dublin.ie1.twilio.com", (twilio.ACCOUNT_SID, "irish")),
        ("au1", "api.sydney.au1.twilio.com", ("SKau", "austral")),
    ],
)
def test_each_region_has_its_host_and_credentials(region, host, auth, monkeypatch):
    monkeypatch.setenv("TWILIO_REGION", "jp1")
    monkeypatch.setenv("TWILIO_EDGE", "tokyo")
    assert client(region).auth == auth
    assert (
        client(region).get_hostname("https://api.twilio.com/2010-04-01/x") == f"https://{host}/2010-04-01/x"
    )


IRELAND = {"ie1": {"tokens": ["irish", "irish-next"], "key": "", "secret": ""}}


def login(asked):
    return base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode().partition(":")[2]


def door(rest):
    """The tokens that Twilio lets in, and no other: a set to be changed."""
    let_in: set[str] = set()
    refused = twilio_rest.error(401, 20003, "Authenticate")
    rest.rules.insert(0, lambda asked: None if login(asked) in let_in else refused)
    return let_in


@override_settings(TWILIO_REGIONS=IRELAND)
def test_the_emulator_is_asked_by_the_name_of_the_regions_host(rest):
    rest.on("GET", "/Calls.json", 200, twilio_rest.page("calls", []))
    assert [calls.live(region=region) for region in ("us1", "ie1")] == [[], []]
    assert [(asked.headers["Host"], login(asked)) for asked in rest.asked] == [
        ("api.twilio.com", "first-token"),
        ("api.dublin.ie1.twilio.com", "irish"),
    ]


@override_settings(TWILIO_REGIONS=IRELAND)
@pytest.mark.parametrize(
    ("region", "current", "following"), [("us1", "first-token", "next-token"), ("ie1", "irish", "irish-next")]
)
def test_rest_works_at_every_step_of_a_rotation(rest, region, current, following):
    rest.on("GET", "/Calls.json", 200, twilio_rest.page("calls", []))
    let_in = door(rest)
    for accepted in ([current], [current, following], [following], [following, current], [current]):
        rest.asked.clear()
        let_in.clear()
        let_in.update(accepted)
        assert calls.live(region=region) == []
        assert calls.live(region=region) == []
        assert len(rest.asked) <= 3  # one refusal, and then it is known which one counts
        assert login(rest.asked[-1]) in accepted


def test_a_command_is_sent_again_only_when_it_was_refused_unread(rest):
    rest.on("POST", f"/Calls/{CALL}/Streams.json", *twilio_rest.error(500, 20500))
    refusal(create)
    assert len(rest.posts()) == 1
    door(rest)
    assert refusal(create) == ("20003", True, False)
    assert len(rest.posts()) == 3


def test_a_region_without_credentials_is_named(rest):
    with pytest.raises(GatewayError, match="no credentials for the region au1"):
        calls.live(region="au1")
    assert rest.asked == []


E164 = "+31201234567"


def test_a_number_nobody_has_routed_is_processed_in_us1(rest):
    assert routes.inbound_region(e164=E164) == "us1"


@override_settings(TWILIO_REGIONS=IRELAND)
def test_a_route_is_read_and_set_at_home_whatever_region_it_names(rest):
    for method in ("GET", "POST"):
        body = {"phone_number": E164, "voice_region": "ie1"}
        rest.on(method, f"/v2/PhoneNumbers/{E164}", 200, body)
    assert routes.inbound_region(e164=E164) == "ie1"
    assert routes.set_inbound_region(e164=E164, region="ie1") == "ie1"
    assert [(asked.headers["Host"], asked.form) for asked in rest.asked] == [
        ("api.twilio.com", {}),
        ("api.twilio.com", {"VoiceRegion": "ie1"}),
    ]


def test_a_routes_problem_is_told_in_words(rest):
    problem = {
        "type": "https://www.twilio.com/docs/errors/20001",
        "title": "Invalid",
        "status": 400,
        "code": 20001,
    }
    rest.on("POST", f"/v2/PhoneNumbers/{E164}", 400, problem)
    assert refusal(routes.set_inbound_region, e164=E164, region="mars") == ("20001", True, False)


def test_a_call_is_read(rest):
    ended = {"status": "completed", "end_time": "Fri, 20 Nov 2026 12:03:00 +0000", "caller_name": "Carla"}
    rest.on("GET", f"/Calls/{CALL}.json", 200, twilio_rest.call_body(**ended))
    facts = calls.fetch(region="us1", sid=CALL)
    assert facts is not None
    assert (facts.from_, facts.to, facts.caller_name) == ("+31612345678", "+31201234567", "Carla")
    assert (facts.status, facts.parent_sid) == ("completed", "")
    assert facts.ended_at == datetime(2026, 11, 20, 12, 3, tzinfo=UTC)
    assert calls.fetch(region="us1", sid="CA" + "0" * 32) is None


def test_live_calls_are_listed(rest):
    rest.on("GET", "/Calls.json", 200, twilio_rest.page("calls", [twilio_rest.call_body()]))
    assert [facts.sid for facts in calls.live(region="us1")] == [CALL]
    assert rest.asked[0].query["Status"] == "in-progress"


RECORDING = "RE" + "4" * 32


def sound():
    return recordings.sound(region="us1", sid=RECORDING)


def test_a_recording_is_fetched_as_it_is_with_our_credentials(rest):
    rest.on("GET", f"/Recordings/{RECORDING}.wav", 200, twilio_rest.wav())
    assert sound() == twilio_rest.wav()
    [asked] = rest.asked
    credentials = base64.b64decode(asked.headers["Authorization"].removeprefix("Basic ")).decode()
    assert credentials == f"{twilio.ACCOUNT_SID}:first-token"
    assert asked.headers["Host"] == "api.twilio.com"


def test_a_recording_that_twilio_does_not_know_is_none(rest):
    assert sound() is None
    rest.on("GET", f"/Recordings/{RECORDING}.wav", 404, "gone")
    assert sound() is None


def test_a_recording_that_is_too_large_is_not_read_to_its_end(rest, monkeypatch):
    monkeypatch.setattr(recordings, "LIMIT", 1000)
    rest.on("GET", f"/Recordings/{RECORDING}.wav", 200, twilio_rest.wav(seconds=60))
    assert refusal(sound) == ("size", True, False)


def test_what_is_no_sound_is_no_recording(rest):
    rest.on("GET", f"/Recordings/{RECORDING}.wav", 200, "<html>RIFF WAVE</html>")
    assert refusal(sound) == ("answer", False, True)


def test_a_recording_of_which_the_answer_is_lost_or_refused_is_told_like_any_failure(rest):
    rest.on("GET", f"/Recordings/{RECORDING}.wav", 0, "")
    assert refusal(sound) == ("timeout", False, True)
    rest.on("GET", f"/Recordings/{RECORDING}.wav", 503, "later")
    assert refusal(sound) == ("503", False, True)
    rest.on("GET", f"/Recordings/{RECORDING}.wav", *twilio_rest.error(429, 20429))
    assert refusal(sound) == ("20429", False, False)


def test_a_recording_that_trickles_in_is_given_up(rest, monkeypatch):
    monkeypatch.setattr(recordings, "_SECONDS", -1.0)
    rest.on("GET", f"/Recordings/{RECORDING}.wav", 200, twilio_rest.wav())
    assert refusal(sound) == ("timeout", False, True)


def test_a_recording_is_fetched_with_the_next_token_when_the_first_is_refused(rest):
    refused = [(401, "<TwilioResponse/>")]
    rest.rules.insert(0, lambda asked: refused.pop() if refused else (200, twilio_rest.wav()))
    with override_settings(TWILIO_AUTH_TOKENS=["old-token", "new-token"]):
        assert sound() == twilio_rest.wav()
    assert len(rest.asked) == 2
