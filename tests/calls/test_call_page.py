"""The page of one call: what it knows of its reader, and whether it may be a phone."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from calls.models import AlertRule, Call
from tests import factories, people

pytestmark = pytest.mark.django_db
MICROPHONE = "microphone=(self)"
TWILIO = "wss://voice-js.roaming.twilio.com"


@pytest.fixture
def mina(client: Client) -> Client:
    """Mina's browser."""
    client.force_login(people.mina())
    return client


@pytest.fixture
def call() -> Call:
    """Carla and Jonas talk."""
    return factories.call(answered_at=timezone.now())


def snapshot(client: Client, call: Call) -> Any:
    """What the page starts with."""
    source = client.get(f"/calls/{call.pk}/").content.decode()
    found = re.search(r'<script id="snapshot" type="application/json">(.*?)</script>', source, re.DOTALL)
    assert found
    return json.loads(found[1])


def forbid(permission: str) -> None:
    """Supervisors may no longer do this."""
    Group.objects.get(name="Supervisor").permissions.remove(Permission.objects.get(codename=permission))


def test_the_page_of_a_live_call_may_be_a_phone_of_who_may_intervene(mina: Client, call: Call) -> None:
    answer = mina.get(f"/calls/{call.pk}/")
    assert answer["Permissions-Policy"] == MICROPHONE
    assert TWILIO in answer["Content-Security-Policy"]
    assert b"data-softphone" in answer.content


def test_who_may_not_intervene_gets_no_phone(mina: Client, call: Call) -> None:
    forbid("intervene")
    answer = mina.get(f"/calls/{call.pk}/")
    assert answer.get("Permissions-Policy") != MICROPHONE
    assert TWILIO not in answer["Content-Security-Policy"]
    assert b"data-softphone" not in answer.content
    assert b'data-act="coach"' not in answer.content


def test_a_past_call_is_no_phone(mina: Client) -> None:
    answer = mina.get(f"/calls/{factories.call(state='ended').pk}/")
    assert answer.get("Permissions-Policy") != MICROPHONE
    assert b"data-softphone" not in answer.content


def test_a_stand_in_for_the_phone_takes_twilios_place(mina: Client, call: Call, settings: Any) -> None:
    settings.SOFTPHONE_URL = "http://127.0.0.1:8100/emulator/softphone.js"
    answer = mina.get(f"/calls/{call.pk}/")
    assert TWILIO not in answer["Content-Security-Policy"]
    assert b'src="http://127.0.0.1:8100/emulator/softphone.js"' in answer.content


def test_the_page_knows_who_reads_it_and_what_they_may_do(mina: Client, call: Call) -> None:
    forbid("listen_in")
    me = snapshot(mina, call)["me"]
    assert (me["user"], me["name"]) == (people.mina().pk, "Mina")
    assert {name: me["may"][name] for name in ("listen", "intervene", "control_streams")} == {
        "listen": False,
        "intervene": True,
        "control_streams": True,
    }


def test_the_page_knows_the_words_that_raise_alerts(mina: Client, call: Call) -> None:
    AlertRule.objects.create(name="Cancels", words="cancel\n\n my contract \n")
    AlertRule.objects.create(name="Swears", words="damn", active=False)
    AlertRule.objects.create(name="Quiet", kind=AlertRule.Kind.SILENCE, seconds=30)
    phrases = snapshot(mina, call)["phrases"]
    assert phrases["Cancels"] == ["cancel", "my contract"]
    assert not {"Swears", "Quiet"} & set(phrases)
