"""What can happen on the stage: each function changes rows as the product's services do, in one change().

They run inside the stage's own process and take and give JSON values only.
"""

from datetime import timedelta
from typing import Any

from django.test import Client
from django.utils import timezone

from calls.events import change
from calls.models import (
    Agent,
    Call,
    CallState,
    Contact,
    Event,
    PhoneNumber,
    Queue,
    Team,
    User,
    Utterance,
    Voicemail,
)
from calls.selectors.feed import encode, iso
from streams.models import Gap, Stream
from tests import factories, people

NUMBER = "+31201234567"


def clear() -> None:
    """Before a test: Mina, Ada, Eve and Jonas, one number, no call."""
    Stream.objects.all().delete()
    Call.objects.all().delete()
    Queue.objects.all().delete()
    Team.objects.all().delete()
    for make in (people.mina, people.ada, people.eve, people.jonas):
        make()
    people.carla()
    agent = people.agent_jonas()
    if agent.name != "Jonas":
        agent.name = "Jonas"
        agent.save()
    Agent.objects.update(status="offline", reason="", since=None, present_until=None, phone_ok=False)
    PhoneNumber.objects.exclude(e164=NUMBER).delete()
    PhoneNumber.objects.filter(pk=number()).update(label="Support")


def session(username: str) -> str:
    """A session of theirs, as after signing in."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    return str(client.session.session_key)


def number() -> int:
    """The number Support."""
    found, _ = PhoneNumber.objects.get_or_create(
        e164=NUMBER,
        defaults={"label": "Support", "agent": people.agent_jonas(), "forward_to": "+31201234999"},
    )
    return found.pk


def no_numbers() -> None:
    """As after a first start."""
    PhoneNumber.objects.all().delete()


def ring(caller: str = people.CALLER, name: str = "", seconds_ago: float = 0, agent: bool = True) -> int:
    """A call rings; its id."""
    started = timezone.now() - timedelta(seconds=seconds_ago)
    with change() as told:
        call = Call.objects.create(
            number_id=number(),
            contact=Contact.objects.filter(e164=caller).first(),
            agent=people.agent_jonas() if agent else None,
            caller=caller,
            caller_name=name,
            started_at=started,
        )
        factories.leg(call, started_at=started, status="ringing")
        told.emit(kind="call.started", noun="call", key=call.pk, call=call.pk)
    return call.pk


def answer(call: int, seconds_ago: float = 0) -> None:
    """The agent answers."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    with change() as told:
        Call.objects.filter(pk=call).update(state=CallState.LIVE, answered_at=at)
        told.emit(kind="call.answered", noun="call", key=call, call=call)


def stream(
    call: int, parameters: dict[str, str] | None = None, seconds_ago: float = 0, name: str = "tap"
) -> str:
    """A two-track stream opens; its SID."""
    at = timezone.now() - timedelta(seconds=seconds_ago)
    with change() as told:
        leg = Call.objects.get(pk=call).legs.get()
        ticket = factories.ticket(leg, spent_at=at, name=name)
        one = factories.stream(ticket=ticket, opened_at=at, parameters=parameters or {})
        told.emit(kind="stream.opened", noun="stream", key=one.sid, call=call)
    return one.sid


def close(sid: str, reason: str = "dropped", talk: dict[str, int] | None = None) -> None:
    """A stream closes; `talk` is who talked in it."""
    with change() as told:
        one = Stream.objects.select_related("leg", "ticket").get(sid=sid)
        one.closed_at, one.close_reason = timezone.now(), reason
        one.figures = {"talk": talk} if talk else {}
        one.save()
        one.ticket.released_at = timezone.now()
        one.ticket.save()
        told.emit(kind="stream.closed", noun="stream", key=sid, call=one.leg.call_id)


def say(sid: str, text: str, track: str = "inbound", start_ms: int = 1000, number: int = 1) -> str:
    """A final line; its key."""
    with change() as told:
        one = Stream.objects.select_related("leg__call").get(sid=sid)
        line = factories.utterance(one, text, track=track, start_ms=start_ms, number=number)
        key = str(line.as_message()["utterance"])
        told.emit(kind="utterance.final", noun="utterance", key=key, call=one.leg.call_id)
    return key


def say_many(sid: str, count: int, start_ms: int = 1000, first: int = 1) -> None:
    """Many final lines, each with its event."""
    for n in range(count):
        say(sid, f"line {first + n}", "inbound" if n % 2 else "outbound", start_ms + n * 3000, first + n)


def gap(sid: str, track: str = "inbound", at_ms: int = 5000, ms: int = 2400) -> None:
    """Sound is missing."""
    with change() as told:
        one = Stream.objects.select_related("leg").get(sid=sid)
        hole = Gap.objects.create(stream=one, track=track, at_ms=at_ms, ms=ms)
        told.emit(kind="gap.found", noun="gap", key=hole.pk, call=one.leg.call_id)


def hang_up(call: int, seconds_ago: float = 0) -> None:
    """The call ends, and its streams with it."""
    for sid in Stream.objects.open().filter(leg__call=call).values_list("sid", flat=True):
        close(sid, "call_ended")
    with change() as told:
        one = Call.objects.get(pk=call)
        one.state, one.ended_at = CallState.ENDED, timezone.now() - timedelta(seconds=seconds_ago)
        one.outcome = Call.Outcome.ANSWERED if one.answered_at else Call.Outcome.MISSED
        one.save()
        one.legs.update(status="completed", ended_at=one.ended_at)
        told.emit(kind="call.ended", noun="call", key=call, call=call)


def queue_up(call: int, queue: str, team: str = "") -> None:
    """The call enters a queue, of a team if one is named."""
    owner = Team.objects.get_or_create(name=team)[0] if team else None
    entered, _ = Queue.objects.update_or_create(name=queue, defaults={"team": owner})
    with change() as told:
        Call.objects.filter(pk=call).update(queue=entered, team=owner)
        told.emit(kind="call.changed", noun="call", key=call, call=call)


def ask_for_help(call: int, reason: str) -> None:
    """The agent asks for help; an empty reason: no longer."""
    with change() as told:
        Call.objects.filter(pk=call).update(help=reason, help_at=timezone.now() if reason else None)
        told.emit(kind="call.changed", noun="call", key=call, call=call)


def voicemail(call: int, seconds: int = 12) -> int:
    """The caller left a message for Jonas's queue Support; its id."""
    queue, _ = Queue.objects.get_or_create(name="Support")
    queue.agents.add(people.agent_jonas())
    with change() as told:
        message = Voicemail.objects.create(
            call_id=call, queue=queue, recording_sid=factories.sid("RE"), seconds=seconds, ready=True
        )
        told.emit(kind="voicemail.left", noun="voicemail", key=message.pk, call=call)
    return message.pk


def join_team(username: str, team: str) -> None:
    """An administrator puts the person into a team."""
    Team.objects.get_or_create(name=team)[0].people.add(User.objects.get(username=username))


def lose_role(username: str) -> None:
    """An administrator takes the role away."""
    User.objects.get(username=username).groups.clear()


def give_role(username: str, role: str = "Supervisor") -> None:
    """An administrator gives the role."""
    people.person(username, role)


def sign_out_everywhere(username: str) -> None:
    """A new password ends every session."""
    user = User.objects.get(username=username)
    user.set_password(people.PASSWORD)  # the same word, salted anew: sessions of before no longer match
    user.save()


def events() -> int:
    """How many events there are."""
    return Event.objects.count()


def lines(call: int) -> int:
    """How many final lines a call has."""
    return Utterance.objects.filter(call=call).count()


def levels_text(levels: dict[str, dict[str, Any]]) -> str:
    """As a media process encodes it."""
    return encode({"type": "levels", "at": iso(timezone.now()), "levels": levels})


def partials_text(lines: list[dict[str, Any]]) -> str:
    """As a media process encodes it."""
    at = iso(timezone.now())
    return encode(
        {"type": "partials", "at": at, "partials": [{"type": "partial", "at": at, **one} for one in lines]}
    )


def health_text(streams: dict[str, dict[str, int]]) -> str:
    """As a media process encodes it."""
    return encode({"type": "health", "at": iso(timezone.now()), "streams": streams})


def crowd(count: int) -> list[str]:
    """Many calls in progress, each with a stream; the StreamSids."""
    sids = []
    for n in range(count):
        call = ring(caller=f"+3161{n:07}", seconds_ago=60)
        answer(call, seconds_ago=50)
        sids.append(stream(call, seconds_ago=50))
    return sids


def hostile(text: str) -> int:
    """A live call whose every field of text holds the same."""
    call = ring(caller=text, name=text[:120], agent=False)
    sid = stream(call, parameters={text: text})
    say(sid, text)
    return call


def busy_day() -> dict[str, int]:
    """Calls in every state: `talking`, `ringing`, `bare` (no stream), `lost` (its stream), `past`."""
    talking = ring(seconds_ago=340)
    answer(talking, seconds_ago=330)
    sid = stream(talking, {"customer": "4711", "campaign": "autumn service"}, seconds_ago=330)
    conversation(sid)
    gap(sid, at_ms=40_000)
    bare = ring(caller="+15005550006", name="PHOENIX PLUMBING AND HEATING LTD", seconds_ago=4000)
    answer(bare, seconds_ago=3990)
    lost = ring(caller="+442071838750", seconds_ago=75)
    answer(lost, seconds_ago=60)
    close(stream(lost, seconds_ago=60))
    past = ring(caller="+31611111111", seconds_ago=900)
    answer(past, seconds_ago=890)
    conversation(stream(past, seconds_ago=890))
    hang_up(past, seconds_ago=500)
    return {
        "talking": talking,
        "ringing": ring(caller="anonymous", agent=False),
        "bare": bare,
        "lost": lost,
        "past": past,
    }


def conversation(sid: str) -> None:
    """Caller and agent about a boiler."""
    words = [
        "Good morning. My boiler is leaking again.",
        "Good morning, this is Jonas. Let me pull up your account.",
        "It was serviced last month, so I do not see why it would be leaking again already.",
        "I understand. Have you turned off the water at the main tap?",
        "Yes, an hour ago, and there is still water all over the kitchen floor.",
        "Then I will send somebody today. Are you at home until six?",
    ]
    for n, text in enumerate(words):
        say(sid, text, "outbound" if n % 2 else "inbound", 4000 + n * 9000, n + 1)


def touch(call: int) -> None:
    """Something of a call changed, such as its figures."""
    with change() as told:
        told.emit(kind="call.changed", noun="call", key=call, call=call)
