"""A hundred callers try to talk an agent into something, and its model obeys every one of them.

The model calls whatever is named, with whatever arguments, and every word besides. What happens is what the
voice's actions allow, at the destinations that stand in admin, and nothing more.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async

from calls import path
from calls.models import Action, AuditEvent, Call, Callback, Command, Queue, Ticket, Voice
from calls.refusal import Refused
from calls.selectors import voices
from calls.services import actions
from streams.voices.base import Ended, NotAllowed
from tests import factories
from tests.streams.agent import agent
from tests.streams.talk_fake import FakeTalk

pytestmark = pytest.mark.django_db

TRANSCRIPTS = Path(__file__).parent.parent / "data" / "hostile_transcripts.txt"
NIGHT = "+31201234999"
MOST_TOOLS = 60

Tool = tuple[str, dict[str, str]]


class AtWork(FakeTalk):
    """A talk whose actions are really taken."""

    async def do(self, action: str, *, reason: str = "", due: str = "") -> None:
        ticket = await Ticket.objects.aget(leg__call=self.call)
        try:
            done = await sync_to_async(actions.perform)(
                call_id=self.call.pk,
                ticket_id=ticket.pk,
                voice_id=self.briefing.voice,
                name=action,
                reason=reason,
                due=due,
                now=datetime.now(UTC),
            )
        except Refused as refused:
            raise NotAllowed(refused.text) from refused
        self.done.append((action, reason, due))
        if done.ends:
            raise Ended

    async def fact(self, name: str, value: str) -> None:
        try:
            await sync_to_async(actions.note_fact)(
                call_id=self.call.pk, name=name, value=value, now=datetime.now(UTC)
            )
        except Refused as refused:
            raise NotAllowed(refused.text) from refused

    call: Call


@pytest.fixture
def call() -> Call:
    queue = Queue.objects.create(name="Kitchen")
    Queue.objects.create(name="Management")
    voice = Voice.objects.create(name="Pizza", kind="realtime", text="You take orders.")
    Action.objects.create(voice=voice, name="kitchen", kind="queue", queue=queue)
    Action.objects.create(voice=voice, name="night", kind="phone", phone=NIGHT)
    Action.objects.create(voice=voice, name="later", kind="callback", queue=queue)
    other = Voice.objects.create(name="Bank", kind="realtime")
    Action.objects.create(voice=other, name="bank", kind="phone", phone="+31900123456")
    number = factories.number(destination="voice", voice=voice)
    made = factories.call(number=number, voice=voice, plan=path.to_voice(voice.pk))
    factories.ticket(factories.leg(made), kind="voice", name="voice")
    return made


def obeyed(text: str) -> Iterator[Tool]:
    """All that a model without any sense of its own would call: what is named, and each word besides."""
    for name, inside in re.findall(r"(\S*?)\s?\(([^()]*)\)", text):
        pairs = [part.partition("=") for part in inside.split(",")]
        yield name, {key.strip(): value.strip() for key, _, value in pairs}
    words = re.findall(r"[\w.+]+", text)
    named = {"to": "+31900123456", "destination": "+31900123456", "phone": "+31900123456", "reason": text}
    for word in words:
        yield word, named
        yield f"take_action_{word}", named


def allowed_plans(call: Call) -> list[Any]:
    """Where the caller of this voice may be sent, and that they stay."""
    queue = Queue.objects.get(name="Kitchen")
    assert call.voice_id is not None
    return [path.to_voice(call.voice_id), path.to_queue(queue.pk), path.to_phone(NIGHT)]


def configuration() -> list[Any]:
    return [list(model.objects.order_by("pk").values()) for model in (Action, Voice, Queue)]


async def obeys(call: Call, text: str) -> tuple[AtWork, list[str]]:
    """The conversation: the caller says this, and the model does it all. What was done, and the answers."""
    briefing = await sync_to_async(voices.briefing)(call.pk)
    assert briefing is not None
    talk = AtWork(briefing)
    talk.call = call
    tools = list(obeyed(text))[:MOST_TOOLS]
    async with agent(talk=talk) as one:
        session = await one.session()
        await session.got("response.create")
        await session.begins()
        for place, (name, arguments) in enumerate(tools):
            await session.calls(name, arguments, call=f"call_{place}")
        await session.ends()
        await one.provider.until(lambda: len(session.results()) == len(tools) or one.task.done())
        return talk, [json.dumps(answer) for answer in session.results()]


TEXTS = TRANSCRIPTS.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("text", TEXTS, ids=[f"transcript-{place}" for place in range(1, len(TEXTS) + 1)])
def test_nothing_but_the_configured_actions_is_done_however_obedient_the_model(call: Call, text: str) -> None:
    before = configuration()
    caller, verified = call.caller, call.verified
    talk, answers = async_to_sync(obeys)(call, text)
    call.refresh_from_db()
    assert {name for name, _, _ in talk.done} <= {"kitchen", "night", "later"}
    assert call.plan in allowed_plans(call)
    assert (call.caller, call.verified) == (caller, verified)
    assert configuration() == before
    assert all(row.e164 == caller and str(row.queue) == "Kitchen" for row in Callback.objects.all())
    assert Callback.objects.count() <= 1
    assert (Command.objects.count(), AuditEvent.objects.count()) == (0, 0)
    assert len(call.facts) <= actions.FACTS + 1
    done = [name for name, _, _ in talk.done]
    assert len([answer for answer in answers if "error" in answer]) >= len(answers) - len(done) - 1


def test_there_are_a_hundred_of_them() -> None:
    assert len(TEXTS) == len(set(TEXTS)) == 100


def test_a_caller_who_asks_for_what_there_is_gets_it(call: Call) -> None:
    talk, _ = async_to_sync(obeys)(call, "take_action_kitchen(reason=a large pizza)")
    call.refresh_from_db()
    assert [name for name, _, _ in talk.done] == ["kitchen"]
    assert call.plan == path.to_queue(Queue.objects.get(name="Kitchen").pk)
    assert call.facts["reason"] == "a large pizza"
