"""The desk's page: what stands in its field to dial, and which numbers it offers to show."""

import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from calls.models import Agent, Call, Offer, Team, Voicemail
from tests import factories, people
from tests.calls import desks

pytestmark = pytest.mark.django_db
CARLA = people.CALLER


@pytest.fixture
def jonas() -> Agent:
    """Jonas, an agent."""
    return people.agent_jonas()


@pytest.fixture
def page(client: Client, jonas: Agent) -> Client:
    """Jonas's browser."""
    client.force_login(jonas.user)
    return client


def state(page: Client, query: str = "") -> Any:
    """What the desk starts with."""
    source = page.get(f"/desk/{query}").content.decode()
    found = re.search(r'<script id="desk-state" type="application/json">(.*?)</script>', source, re.DOTALL)
    assert found
    return json.loads(found[1])


def dial_to(page: Client, call: Call | str) -> str:
    """The number in the field to dial."""
    return str(state(page, f"?call={call.pk if isinstance(call, Call) else call}")["dial_to"])


def taken(agent: Agent, **fields: Any) -> Call:
    """A past call that the agent took."""
    call = factories.call(state="ended", **fields)
    now = timezone.now()
    Offer.objects.create(
        agent=agent, call=call, state="ended", accepted_at=now, ended_at=now, until=now, created_at=now
    )
    return call


def test_the_field_is_empty_unless_a_call_is_named(page: Client) -> None:
    assert state(page)["dial_to"] == ""


def test_a_call_of_theirs_brings_its_number(page: Client, jonas: Agent) -> None:
    assert dial_to(page, taken(jonas)) == CARLA


def test_a_message_for_their_queue_brings_its_number(page: Client, jonas: Agent) -> None:
    call = factories.call(state="ended")
    assert dial_to(page, call) == ""
    Voicemail.objects.create(call=call, queue=desks.support(jonas), recording_sid=factories.sid("RE"))
    assert dial_to(page, call) == CARLA


def test_a_call_of_others_brings_nothing_like_one_that_does_not_exist(page: Client) -> None:
    assert dial_to(page, taken(desks.sanne())) == dial_to(page, "4711") == ""


@pytest.mark.parametrize("odd", ["", "x", "-1", "9" * 30, "1.5", "%00", "\u0663"])
def test_an_odd_call_is_no_error(page: Client, odd: str) -> None:
    assert dial_to(page, odd) == ""


@pytest.mark.parametrize("caller", ["", "anonymous", "+266696687", "client:jonas", "sip:a@b.example", "112"])
def test_only_a_telephone_number_can_be_called(page: Client, jonas: Agent, caller: str) -> None:
    assert dial_to(page, taken(jonas, caller=caller)) == ""


def test_who_may_not_call_out_gets_no_number(page: Client, jonas: Agent) -> None:
    call = taken(jonas)
    Group.objects.get(name="Agent").permissions.remove(Permission.objects.get(codename="dial_out"))
    assert dial_to(page, call) == ""


def test_who_watches_too_may_call_whom_their_teams_calls_show(page: Client, jonas: Agent) -> None:
    ours, theirs = Team.objects.create(name="Ours"), Team.objects.create(name="Theirs")
    ours.people.add(jonas.user)
    people.person(people.JONAS, "Supervisor")
    assert dial_to(page, factories.call(team=ours)) == CARLA
    assert dial_to(page, factories.call(team=theirs)) == ""


def test_the_numbers_of_their_queues_come_first(page: Client, jonas: Agent) -> None:
    factories.number(label="A line of nobody's")
    factories.number(label="Billing", queue=None)
    mine = factories.number(label="Support", queue=desks.support(jonas))
    assert state(page)["dial"]["numbers"][0]["number"] == mine.pk
