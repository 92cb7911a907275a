"""Twilio's requests: what is let in, what is refused and how, and that a repeat changes nothing."""

import itertools
import logging
import re
import threading
from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calls.models import Call, Leg, Reply, Ticket
from tests import factories, people, twilio

pytestmark = [pytest.mark.django_db, pytest.mark.urls("calls.urls")]

TO = "+31201234567"
FORM = "application/x-www-form-urlencoded"
REFUSALS = {403, 405, 413, 415}


@pytest.fixture
def number():
    return factories.number(e164=TO, forward_to="+31201234999")


def turn_of(answer):
    [turn] = re.findall(r"/twilio/next/([0-9a-f]{32})/", answer.content.decode())
    return turn


def unsigned_post(client, path="/twilio/voice/", body="", **extra):
    return client.post(path, data=body, content_type=extra.pop("content_type", FORM), **extra)


# -- what is let in --------------------------------------------------------------------------------


def test_a_new_call_gets_a_tap_and_then_a_dial(client, number):
    people.carla()
    answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields())
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/xml")
    ticket = Ticket.objects.get()
    assert answer.content.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?><Response>'
        f'<Start><Stream name="tap" statusCallback="https://calls.example.com/twilio/stream-status/" '
        f'statusCallbackMethod="POST" track="both_tracks" '
        f'url="wss://calls.example.com/media/{ticket.nonce}/">'
        f'<Parameter name="call" value="{Call.objects.get().pk}" /></Stream></Start>'
        f'<Dial action="https://calls.example.com/twilio/next/{turn_of(answer)}/" answerOnBridge="true" '
        'callerId="+31612345678" method="POST">'
        '<Number statusCallback="https://calls.example.com/twilio/call-status/" '
        'statusCallbackEvent="initiated ringing answered completed" statusCallbackMethod="POST">'
        "+31201234999</Number></Dial></Response>"
    )
    call = Call.objects.get()
    assert (call.state, call.caller, str(call.contact)) == ("ringing", "+31612345678", "Carla Visser")
    assert Leg.objects.get().sid == twilio.CALL_SID


@pytest.mark.parametrize("token", ["first-token", "next-token"])
def test_the_current_and_the_next_token_count(client, number, token):
    answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(), token=token)
    assert answer.status_code == 200


@override_settings(TWILIO_REGIONS={"ie1": {"tokens": ["irish"], "key": "", "secret": ""}})
def test_the_token_of_any_region_counts(client, number):
    answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(), token="irish")
    assert answer.status_code == 200


def test_unknown_fields_are_ignored_and_empty_ones_are_no_harm(client, number):
    fields = twilio.voice_fields(SomethingNew="x", From="", CallerName="")
    assert twilio.signed_post(client, "/twilio/voice/", fields).status_code == 200
    assert Call.objects.get().display_caller() == "Withheld"


@pytest.mark.parametrize(
    ("caller", "kept"),
    [
        ("anonymous", ""),
        ("client:agent_jonas", "client:agent_jonas"),
        ("sip:desk@example.com", "sip:desk@example.com"),
        ("+266696687", ""),
        ("odd\x00\u202ecaller", "oddcaller"),
        ("x" * 2000, "x" * 255),
    ],
)
def test_odd_callers_get_a_clean_record(client, number, caller, kept):
    answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(From=caller))
    assert answer.status_code == 200
    assert Call.objects.get().caller == kept


def test_a_callers_name_is_kept_without_its_markup_or_direction(client, number):
    fields = twilio.voice_fields(CallerName="<b>Mallory\u202e\x1b[31m", From="anonymous")
    answer = twilio.signed_post(client, "/twilio/voice/", fields)
    assert Call.objects.get().caller_name == "<b>Mallory [31m"
    assert b"Mallory" not in answer.content


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "signature",
    [None, "", "nonsense", "A" * 28, "A" * 10_000, "é" * 28, "=" * 28],
)
def test_without_a_right_signature_nothing_happens(client, signature, django_assert_num_queries, caplog):
    headers = {} if signature is None else {"X-Twilio-Signature": signature}
    with django_assert_num_queries(0), caplog.at_level(logging.INFO):
        answer = unsigned_post(client, body=urlencode(twilio.voice_fields()), headers=headers)
    assert (answer.status_code, answer.content) == (403, b"")
    assert [record.message for record in caplog.records] == ["twilio.signature.invalid"]


def test_a_foreign_token_is_refused(client):
    answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(), token="stolen")
    assert answer.status_code == 403


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "Forwarded", "X-Original-Host", "X-Forwarded-Proto"])
def test_a_spoofed_host_does_not_decide_what_was_signed(client, header):
    fields = twilio.voice_fields()
    signature = twilio.signature("https://evil.example.com/twilio/voice/", fields)
    answer = unsigned_post(
        client,
        body=urlencode(fields),
        headers={"X-Twilio-Signature": signature, header: "evil.example.com"},
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "settings_header", ["key=k,algorithm=HMAC_SHA256", "algorithm=none", "key=,algorithm="]
)
def test_the_request_does_not_choose_the_algorithm(client, number, settings_header):
    fields = twilio.voice_fields()
    right = twilio.signature(twilio.PUBLIC_URL + "/twilio/voice/", fields)
    for signature, status in ((right, 200), ("A" * 43 + "=", 403)):
        headers = {
            "X-Twilio-Signature": signature,
            "X-Twilio-Webhooks-Signature-Settings": settings_header,
        }
        assert unsigned_post(client, body=urlencode(fields), headers=headers).status_code == status


def test_the_query_is_part_of_what_is_signed(client, number):
    fields = twilio.voice_fields()
    assert twilio.signed_post(client, "/twilio/voice/?a=1&b=%20", fields).status_code == 200
    signature = twilio.signature(twilio.PUBLIC_URL + "/twilio/voice/", fields)
    answer = unsigned_post(
        client, "/twilio/voice/?a=1", body=urlencode(fields), headers={"X-Twilio-Signature": signature}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/twilio/voice/", "/twilio/fallback/", "/twilio/call-status/"])
@pytest.mark.parametrize("method", ["get", "put", "delete", "head", "options", "patch"])
def test_only_post(client, path, method, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = getattr(client, method)(path)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""])
def test_only_forms(client, kind):
    assert unsigned_post(client, body="{}", content_type=kind).status_code == 415


def test_too_large_is_refused_before_it_is_read(client):
    assert unsigned_post(client, body="a=" + "x" * 65_536).status_code == 413
    assert unsigned_post(client, body="a=" + "x" * 65_530).status_code == 403


def test_too_many_fields_are_refused_and_300_are_no_fault(client, number):
    many = urlencode({f"Field{n}": "x" for n in range(1000)})
    assert unsigned_post(client, body=many).status_code == 413
    fields = twilio.voice_fields(**{f"Field{n}": "x" for n in range(300)})
    assert twilio.signed_post(client, "/twilio/voice/", fields).status_code == 200


def test_a_body_in_chunks_of_unknown_length_is_refused(client):
    answer = client.generic("POST", "/twilio/voice/", b"a=1", content_type=FORM, CONTENT_LENGTH="")
    assert answer.status_code == 413


@pytest.mark.parametrize("length", ["-1", "1e3", "١٢", "99999999999999999999", "12abc"])
def test_an_absurd_length_is_refused(client, length):
    answer = client.generic("POST", "/twilio/voice/", b"a=1", content_type=FORM, CONTENT_LENGTH=length)
    assert answer.status_code == 413


@pytest.mark.parametrize(
    "changed",
    [
        {"AccountSid": "AC" + "b" * 32},
        {"AccountSid": ""},
        {"CallSid": "CA123"},
        {"CallSid": "CA" + "1" * 33},
        {"CallSid": "MZ" + "1" * 32},
        {"CallSid": ""},
        {"CallStatus": "RINGING"},
        {"CallStatus": ""},
        {"ParentCallSid": "x"},
        {"From": "+3161234567<x"},
    ],
)
def test_signed_fields_must_have_their_shape(client, changed, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(**changed))
    assert answer.status_code == 403


@pytest.mark.parametrize("missing", ["AccountSid", "CallSid", "CallStatus", "From", "To"])
def test_signed_fields_must_be_there(client, missing):
    fields = twilio.voice_fields()
    del fields[missing]
    assert twilio.signed_post(client, "/twilio/voice/", fields).status_code == 403


def test_a_name_comes_once(client, caplog):
    fields = twilio.voice_fields()
    url = twilio.PUBLIC_URL + "/twilio/voice/"
    doubled = urlencode([*fields.items(), ("To", TO)])  # the same value twice is signed like one
    answer = unsigned_post(
        client, body=doubled, headers={"X-Twilio-Signature": twilio.signature(url, fields)}
    )
    assert answer.status_code == 403
    assert "twilio.params.invalid" in caplog.messages


@override_settings(TWILIO_ACCOUNT_SID="")
def test_without_an_account_everybody_is_foreign(client):
    fields = twilio.voice_fields(AccountSid="AC" + "a" * 32)
    assert twilio.signed_post(client, "/twilio/voice/", fields).status_code == 403


def test_broken_text_is_a_refusal(client):
    for body in (b"\xff\xfe=\x00", b"a=%ff%fe", b"&&&===&", b"%", b"a=%ED%A0%80"):
        assert unsigned_post(client, body=body).status_code == 403


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300), signature=st.text(st.characters(codec="latin-1"), max_size=60),
       kind=st.sampled_from([FORM, "application/json", FORM + "; charset=utf-7", "\x00"]))  # fmt: skip
def test_no_made_up_request_is_let_in_or_breaks_anything(body, signature, kind):
    safe = "".join(char for char in signature if char.isprintable())
    answer = Client().generic(
        "POST", "/twilio/voice/", body, content_type=kind, headers={"X-Twilio-Signature": safe}
    )
    assert answer.status_code in REFUSALS


def test_a_request_split_anew_means_the_same_or_is_refused(client, number):
    """Names and values are signed without a border, so a thief may move it; nothing new may come of that."""
    fields = twilio.status_fields("completed", ParentCallSid="CA" + "9" * 32)
    url = twilio.PUBLIC_URL + "/twilio/call-status/"
    signature = twilio.signature(url, fields)
    meant = {
        name: fields[name] for name in ("CallSid", "CallStatus", "ParentCallSid", "SequenceNumber", "To")
    }
    for split in splits(sorted(fields.items())):
        if "".join(name + value for name, value in sorted(split)) != "".join(
            name + value for name, value in sorted(fields.items())
        ):
            continue
        answer = unsigned_post(
            client,
            "/twilio/call-status/",
            body=urlencode(split),
            headers={"X-Twilio-Signature": signature},
        )
        same = {name: value for name, value in split if name in meant} == meant
        assert answer.status_code == 403 or (same and answer.status_code == 204), [
            p for p in split if p not in fields.items()
        ]


def splits(pairs):
    """The same bytes with one border moved to every other place, and with two neighbours made one."""
    for index, (name, value) in enumerate(pairs):
        text = name + value
        for place in range(1, len(text) + 1):
            yield [*pairs[:index], (text[:place], text[place:]), *pairs[index + 1 :]]
    for index, ((name, value), (after, last)) in enumerate(itertools.pairwise(pairs)):
        rest = pairs[:index], pairs[index + 2 :]
        yield [*rest[0], (name, value + after + last), *rest[1]]
        for place in range(len(after) + 1):
            yield [*rest[0], (name, value + after[:place]), (after[place:] or "x", last), *rest[1]]
        for place in range(len(value)):
            yield [*rest[0], (name, value[:place]), (value[place:] + after, last), *rest[1]]


# -- repeats ---------------------------------------------------------------------------------------


def test_a_repeat_gets_the_same_answer_and_causes_nothing(client, number):
    answers = [twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields()) for _ in range(5)]
    assert len({answer.content for answer in answers}) == 1
    assert (Call.objects.count(), Ticket.objects.count(), Reply.objects.count()) == (1, 1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_get_the_same_answer(number):
    """Twilio's retry overlaps the first request."""
    answers = []
    ready = threading.Barrier(4)

    def ask():
        ready.wait()
        answers.append(twilio.signed_post(Client(), "/twilio/voice/", twilio.voice_fields()))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert (Call.objects.count(), Ticket.objects.count()) == (1, 1)


def test_a_turn_is_answered_once_and_then_replayed(client, number):
    turn = turn_of(twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields()))
    path = f"/twilio/next/{turn}/"
    busy = twilio.voice_fields(CallStatus="in-progress", DialCallStatus="busy", DialCallSid="CA" + "5" * 32)
    first = twilio.signed_post(client, path, busy)
    assert b"nobody can take your call" in first.content
    again = twilio.signed_post(client, path, {**busy, "DialCallStatus": "completed"})
    assert again.content == first.content
    assert Leg.objects.get(sid="CA" + "5" * 32).status == "busy"


def test_after_a_conversation_the_call_ends_without_a_word(client, number):
    turn = turn_of(twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields()))
    fields = twilio.voice_fields(CallStatus="in-progress", DialCallStatus="completed")
    answer = twilio.signed_post(client, f"/twilio/next/{turn}/", fields)
    assert answer.content.endswith(b"<Response><Hangup /></Response>")


# -- fallback and faults ---------------------------------------------------------------------------


def test_the_fallback_repeats_the_first_answer(client, number):
    first = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields())
    fields = twilio.voice_fields(ErrorCode="11205", ErrorUrl=twilio.PUBLIC_URL + "/twilio/voice/")
    assert twilio.signed_post(client, "/twilio/fallback/", fields).content == first.content


def test_the_fallback_of_a_later_turn_dials_nobody_again(client, number):
    first = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields())
    failed = f"{twilio.PUBLIC_URL}/twilio/next/{turn_of(first)}/"
    fields = twilio.voice_fields(ErrorCode="11200", ErrorUrl=failed, DialCallStatus="completed")
    answer = twilio.signed_post(client, "/twilio/fallback/", fields)
    assert b"<Dial" not in answer.content
    assert answer.content.endswith(b"<Hangup /></Response>")


def test_an_unknown_number_is_told_so_and_nothing_is_written(client, caplog):
    answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(To="+31201112222"))
    assert b"not in service" in answer.content
    assert Call.objects.count() == 0
    assert "twilio.number.unknown" in caplog.messages


def test_without_a_database_the_number_still_dials_as_it_last_did(client, number, monkeypatch, caplog):
    twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields())
    away(monkeypatch)
    fields = twilio.voice_fields(CallSid="CA" + "7" * 32)
    answer = twilio.signed_post(client, "/twilio/voice/", fields)
    assert answer.status_code == 200
    assert b"+31201234999</Number></Dial>" in answer.content
    assert b"<Stream" not in answer.content
    assert "twilio.voice.database" in caplog.messages


def test_without_a_database_an_unseen_number_gets_an_apology(client, monkeypatch):
    away(monkeypatch)
    fields = twilio.voice_fields(To="+31209999999")
    answer = twilio.signed_post(client, "/twilio/voice/", fields)
    assert b"cannot be connected" in answer.content


def test_without_a_database_a_status_is_not_confirmed(client, monkeypatch):
    away(monkeypatch)
    assert (
        twilio.signed_post(client, "/twilio/call-status/", twilio.status_fields("ringing")).status_code == 503
    )


def away(monkeypatch):
    def refuse(*_, **__):
        raise OperationalError("the database is away")

    monkeypatch.setattr("calls.services.answer.replayed", refuse)
    monkeypatch.setattr("calls.services.legs.apply", refuse)


def test_a_fault_of_ours_still_gets_the_caller_through(client, number, monkeypatch, caplog):
    twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields())
    monkeypatch.setattr("calls.services.answer.replayed", lambda key: 1 / 0)
    answer = twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields(CallSid="CA" + "8" * 32))
    assert b"</Dial>" in answer.content
    assert "twilio.voice.failed" in caplog.messages


# -- statuses --------------------------------------------------------------------------------------


def test_a_status_of_a_call_of_nobody_is_taken_and_logged(client, caplog):
    answer = twilio.signed_post(client, "/twilio/call-status/", twilio.status_fields("completed"))
    assert answer.status_code == 204
    assert "twilio.status.ignored" in caplog.messages


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "yesterday",
        "Fri, 20 Nov 2026 12:00:00 +0000",
        "2026-11-20T12:00:00.417Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "Fri, 99 Nov 2026 99:99:99 +9999",
        "\x00",
    ],
)
def test_any_timestamp_is_tolerated(client, number, stamp):
    twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields())
    fields = {**twilio.status_fields("completed"), "Timestamp": stamp}
    assert twilio.signed_post(client, "/twilio/call-status/", fields).status_code == 204
    call = Call.objects.get()
    assert call.state == "ended"
    assert call.ended_at is not None
    assert call.ended_at >= call.started_at


def test_a_child_leg_joins_its_parents_call(client, number):
    agent = people.agent_jonas()
    twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields())
    child = {"CallSid": "CA" + "5" * 32, "ParentCallSid": twilio.CALL_SID, "To": "client:agent_jonas"}
    for sequence, status in enumerate(["initiated", "ringing", "in-progress"]):
        fields = twilio.status_fields(status, sequence=sequence, **child)
        twilio.signed_post(client, "/twilio/call-status/", fields)
    call = Call.objects.get()
    assert (call.state, call.outcome, call.agent) == ("live", "answered", agent)
    assert Leg.objects.get(kind="agent").parent == Leg.objects.get(sid=twilio.CALL_SID)
    assert Leg.objects.get(sid=twilio.CALL_SID).status == "in-progress"
