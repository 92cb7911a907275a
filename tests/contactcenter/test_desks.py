"""The simulated agents of the demo."""

from datetime import timedelta

import pytest
from django.utils import timezone

from calls.models import Agent, Call, Contact, Offer
from contactcenter.desks import HELP, Desks
from contactcenter.seeding import NEEDS_HELP
from tests import factories, people

pytestmark = pytest.mark.django_db(transaction=True)


def talking_with(name: str) -> Call:
    """A simulated agent has talked with this caller for a while; the call."""
    contact = Contact.objects.create(name=name, e164="+447700900199")
    call = factories.call(contact=contact)
    since = timezone.now() - timedelta(seconds=30)
    Offer.objects.create(
        call=call,
        agent=people.agent_jonas(),
        state="accepted",
        created_at=since,
        accepted_at=since,
        until=since,
    )
    return call


def test_the_agent_of_the_hard_caller_asks_for_help_once() -> None:
    call = talking_with(NEEDS_HELP)
    desks = Desks(["agent_jonas"])
    desks.open()
    desks.look()
    call.refresh_from_db()
    assert call.help == HELP
    Call.objects.update(help="", help_at=None)
    desks.look()
    call.refresh_from_db()
    assert call.help == "", "asked again after help had come"


def test_nobody_asks_for_help_with_other_callers() -> None:
    call = talking_with("Nora Quist")
    desks = Desks(["agent_jonas"])
    desks.open()
    desks.look()
    call.refresh_from_db()
    assert call.help == ""
    assert Agent.objects.get().status == Agent.Status.READY
