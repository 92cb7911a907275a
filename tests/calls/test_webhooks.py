"""Twilio's requests: what is let in, what is refused, and that a repeat changes nothing."""

import re

import pytest
from django.test import Client

from calls.models import Call, Leg, Reply, Ticket
from tests import factories, people, twilio

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("calls.urls")]

TO = "+31201234567"


@pytest.fixture
def number():
    return factories.number(e164=TO, forward_to="+31201234999")


def test_a_new_call_gets_a_tap_and_then_a_dial(client: Client, number):
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
        f'<Dial action="https://calls.example.com/twilio/next/{_turn(answer)}/" answerOnBridge="true" '
        'callerId="+31612345678" method="POST">'
        '<Number statusCallback="https://calls.example.com/twilio/call-status/" '
        'statusCallbackEvent="initiated ringing answered completed" statusCallbackMethod="POST">'
        "+31201234999</Number></Dial></Response>"
    )
    call = Call.objects.get()
    assert (call.state, call.caller, str(call.contact)) == ("ringing", "+31612345678", "Carla Visser")
    assert Leg.objects.get().sid == twilio.CALL_SID


def _turn(answer):
    [turn] = re.findall(r"/twilio/next/([0-9a-f]{32})/", answer.content.decode())
    return turn


def test_a_repeat_gets_the_same_answer_and_causes_nothing(client: Client, number):
    answers = [twilio.signed_post(client, "/twilio/voice/", twilio.voice_fields()) for _ in range(5)]
    assert len({answer.content for answer in answers}) == 1
    assert (Call.objects.count(), Ticket.objects.count(), Reply.objects.count()) == (1, 1, 1)
