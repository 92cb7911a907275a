"""Scenes of what every page has: the page of a fault, hostile text in every field."""

from datetime import timedelta
from typing import Any

from django.test import RequestFactory
from django.utils import timezone
from django.views.defaults import server_error

from calls.events import change
from calls.models import (
    Agent,
    Alert,
    AlertRule,
    Call,
    CallState,
    Contact,
    Moment,
    Note,
    PhoneNumber,
    Queue,
    Team,
    User,
    Voicemail,
)
from calls.text import clean, paragraphs
from tests import factories, people


def failure_page() -> str:
    """What people see when the site fails."""
    return server_error(RequestFactory().get("/fails/")).content.decode()


def hostile_rows(texts: list[str]) -> list[str]:
    """For each text a live call of its own: number, agent, queue, team, contact, stream, words, alert, notes.

    As the doors let text in: cleaned, and cut to what its field holds. The callers as pages name them.
    """
    now, callers = timezone.now(), []
    with change() as told:
        for n, text in enumerate(texts):
            call = _hostile(n, text, now - timedelta(seconds=n))
            told.emit(kind="call.started", noun="call", key=call.pk, call=call.pk)
            callers.append(call.display_caller())
    return callers


def hostile_call(texts: list[str]) -> int:
    """One live call with a line, a custom parameter, a moment, a note and an alert of each text; its id."""
    now = timezone.now()
    with change() as told:
        call = factories.call(caller_name="Carla", answered_at=now)
        leg = factories.leg(call)
        parameters = {clean(text, 200): clean(text, 500) for text in texts[:40]}
        stream = factories.stream(
            ticket=factories.ticket(leg, spent_at=now, name="tap"), parameters=parameters
        )
        for n, text in enumerate(texts):
            factories.utterance(stream, clean(text, 2000) or "-", number=n + 1, start_ms=n * 1000)
            said = clean(text, 200)
            Moment.objects.create(call=call, by=people.mina(), at_ms=n * 1000, text=said)
            Alert.objects.create(
                call=call, key=str(n), kind="words", name=clean(text, 80), severity="warning", quote=said
            )
        told.emit(kind="call.started", noun="call", key=call.pk, call=call.pk)
    return call.pk


def _hostile(n: int, text: str, at: Any) -> Call:
    short = clean(text, 70)
    named = f"{short} {n}"
    user = User.objects.create(username=f"agent-{n}", first_name=clean(text, 150))
    team = Team.objects.create(name=named)
    queue = Queue.objects.create(name=named, team=team)
    agent = Agent.objects.create(user=user, name=named, identity=f"agent_{n}")
    number = PhoneNumber.objects.create(
        e164=f"+3120{2000000 + n}", label=named, forward_to="+31201234999", greeting=paragraphs(text, 1000)
    )
    contact = Contact.objects.create(
        name=clean(text, 120) or "-",
        company=clean(text, 120),
        tags=clean(text, 200),
        note=paragraphs(text, 4000),
    )
    call = Call.objects.create(
        number=number,
        agent=agent,
        queue=queue,
        team=None,
        contact=contact if n % 2 else None,
        caller=clean(text, 255),
        caller_name=clean(text, 120),
        help=clean(text, 200),
        state=CallState.LIVE,
        started_at=at,
        answered_at=at,
    )
    leg = factories.leg(call)
    ticket = factories.ticket(leg, spent_at=at, name=clean(text, 64))
    stream = factories.stream(ticket=ticket, parameters={clean(text, 100): clean(text, 500)})
    factories.utterance(stream, clean(text, 4000) or "-", number=1)
    rule = AlertRule.objects.create(name=clean(text, 80) or "-", words=paragraphs(text, 2000), active=False)
    Alert.objects.create(
        rule=rule,
        call=call,
        key="0",
        kind="words",
        name=rule.name,
        severity="warning",
        quote=clean(text, 300),
    )
    Note.objects.create(call=call, by=user, text=paragraphs(text, 8000))
    Moment.objects.create(call=call, by=user, at_ms=0, text=clean(text, 200))
    Voicemail.objects.create(call=call, queue=queue, recording_sid=factories.sid("RE"), seconds=3, ready=True)
    return call


def forget_hostile() -> None:
    """What clearing the stage does not take away."""
    Call.objects.all().delete()
    User.objects.filter(username__startswith="agent-").delete()
    Contact.objects.exclude(e164=people.CALLER).delete()
    AlertRule.objects.filter(active=False).delete()
