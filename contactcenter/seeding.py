"""The small world of the demo: people who sign in, a queue and its agents, numbers, callers with a past.

All numbers are from ranges kept free for fiction (020 7946 0000 to 0999, 07700 900000 to 900999).
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.utils import timezone

from calls.models import (
    Action,
    Agent,
    AlertRule,
    Call,
    Contact,
    Destination,
    Hours,
    Matter,
    Note,
    OpeningTime,
    Outcome,
    PhoneNumber,
    Queue,
    Team,
    User,
    Voice,
    VoiceTable,
)

__all__ = [
    "LOGINS",
    "NEEDS_HELP",
    "NUMBERS",
    "VOICE",
    "Login",
    "caller_number",
    "contacts",
    "own_voices",
    "world",
]

LOGINS = ("supervisor", "agent", "amira", "admin")
GROUPS = {"supervisor": "Supervisor", "admin": "Admin"}
AGENTS = (("agent", "Jonas Weber"), ("amira", "Amira Haddad"), ("sofie", "Sofie Lund"))
MORE_NAMES = (
    "Pavel Novak",
    "Grace Osei",
    "Mateo Ruiz",
    "Hanna Berg",
    "Yusuf Demir",
    "Ivy Clarke",
    "Noor Janssen",
)
NUMBERS = (("+442079460100", "Support"), ("+442079460101", "Sales"), ("+442079460102", "Bookings"))
# The number that a voice answers, and who calls it: they book a call back and ask for a person.
VOICE = ("+442079460103", "Self-service")
FLOW = Path(__file__).parent.parent / "calls" / "flows" / "self_service.yaml"
ORDERS = "order,status,expected\n4711,on its way,on Friday\n1234,being packed,next week\n"
OUTCOMES = {
    "Support": ("Solved", "Will be looked into", "Passed on", "Wrong number"),
    "Sales": ("Sold", "Offer sent", "Not interested"),
}
# The caller whose agent asks for help, and what rules listen for beside those that a new site has.
NEEDS_HELP = "Susan Reed"
RULES: tuple[dict[str, object], ...] = (
    {
        "name": "Something is wrong after a service",
        "words": "oil light\nstill on\nforgot",
        "severity": "critical",
    },
    {"name": "Wants to buy", "words": "I'd like to buy\nhow much is", "speaker": "caller"},
    {"name": "Both talk at once", "kind": "overtalk", "seconds": 4},
    {"name": "Very long call", "kind": "length", "seconds": 240},
)
TAGS = ("key account", "new", "", "late payer", "")
MATTERS = ("Waits for a replacement part", "Asked for an invoice copy", "Complaint about a delivery")
PAST = ("Asked about opening hours.", "Moved house; address was changed.", "Wants to be called after four.")


@dataclass(frozen=True)
class Login:
    """Who may sign in to this demo; made anew at each start."""

    username: str
    password: str


def world(*, agents: int = 0) -> dict[str, Login]:
    """Make people, queues and numbers in an empty, migrated database; the logins by role.

    `agents` is how many there shall be at least: enough for the calls that are live at once.
    """
    logins = {name: Login(name, secrets.token_urlsafe(9)) for name in LOGINS}
    users = {name: _user(name, login.password) for name, login in logins.items()}
    people = [_agent(at, username, name, users) for at, (username, name) in enumerate(_names(agents))]
    hours, team = _hours(), Team.objects.create(name="Front office")
    team.people.add(users["supervisor"], *(agent.user for agent in people))
    for e164, label in NUMBERS:
        queue = _queue(label, team, people) if label in OUTCOMES else None
        PhoneNumber.objects.create(
            e164=e164,
            label=label,
            destination="queue" if queue else "phone",
            queue=queue,
            team=team,
            hours=hours,
            forward_to=people[-1].e164,
            greeting=f"Welcome to {label}." if queue else "",
        )
    _voice(team, hours)
    for prefix, label in (("+44", "United Kingdom"), ("+447700900", "Numbers of the demo")):
        Destination.objects.create(prefix=prefix, label=label)
    for rule in RULES:
        AlertRule.objects.create(**rule)
    return logins


def contacts(names: list[str]) -> None:
    """One contact for each name, by the number that `caller_number` gives it, with calls and open matters."""
    code = make_password("1234")  # hashed once: it takes a moment, on purpose
    made = [
        Contact(
            name=name,
            e164=caller_number(at),
            tags=TAGS[at % len(TAGS)],
            code=code,
            born_on=date(1970 + at % 30, 1 + at % 12, 1 + at % 28),
        )
        for at, name in enumerate(names)
        if name
    ]
    Contact.objects.bulk_create(made)
    number = PhoneNumber.objects.order_by("pk").first()
    now = timezone.now()
    for at, contact in enumerate(Contact.objects.order_by("pk")):
        for back in range(1 + at % 3):
            _past_call(
                contact, number, now - timedelta(days=2 + at % 9 + 7 * back), PAST[(at + back) % len(PAST)]
            )
        if at % 2 == 0:
            Matter.objects.create(contact=contact, text=MATTERS[at % len(MATTERS)])


def own_voices() -> dict[str, str]:
    """The number of each voice that VOICES names."""
    return {kind: f"+4420794601{10 + at:02}" for at, kind in enumerate(list(settings.VOICES)[:80])}


def caller_number(at: int) -> str:
    """The telephone of the caller at this place in the list."""
    return f"+447700900{100 + at % 900:03}"


def _names(least: int) -> list[tuple[str, str]]:
    more = dict(enumerate(MORE_NAMES, len(AGENTS) + 1))
    extra = [(f"agent{at}", more.get(at, f"Agent {at}")) for at in range(len(AGENTS) + 1, least + 1)]
    return [*AGENTS, *extra]


def _agent(at: int, username: str, name: str, users: dict[str, User]) -> Agent:
    user = users.get(username) or _user(username, None)
    return Agent.objects.create(user=user, name=name, identity=username, e164=f"+4420794602{at:02}")


def _queue(label: str, team: Team, people: list[Agent]) -> Queue:
    queue = Queue.objects.create(name=label, team=team, wrapup_seconds=30)
    queue.agents.set(people)
    for order, outcome in enumerate(OUTCOMES[label]):
        Outcome.objects.create(queue=queue, label=outcome, order=order)
    return queue


def _voice(team: Team, hours: Hours) -> None:
    """A number that a self-service flow answers, which hands over to Support."""
    support = Queue.objects.get(name="Support")
    voice = Voice.objects.create(
        name=VOICE[1], kind=Voice.FLOW, text=FLOW.read_text(encoding="utf-8"), queue=support
    )
    for name, kind in (("person", Action.Kind.QUEUE), ("call_back", Action.Kind.CALLBACK)):
        Action.objects.create(voice=voice, name=name, kind=kind, queue=support)
    VoiceTable.objects.create(voice=voice, name="orders", text=ORDERS)
    PhoneNumber.objects.create(
        e164=VOICE[0], label=VOICE[1], destination="voice", voice=voice, team=team, hours=hours
    )
    for own_kind, e164 in own_voices().items():
        own = Voice.objects.create(name=_own_name(own_kind), kind=own_kind, queue=support)
        Action.objects.create(voice=own, name="person", kind=Action.Kind.QUEUE, queue=support)
        PhoneNumber.objects.create(
            e164=e164, label=own.name, destination="voice", voice=own, team=team, hours=hours
        )


def _own_name(kind: str) -> str:
    """The name of its class; of two that share one the kind tells which is which."""
    classes = {one: place.rpartition(":")[2][:30] for one, place in settings.VOICES.items()}
    is_shared = list(classes.values()).count(classes[kind]) > 1
    return f"{classes[kind]} ({kind[:40]})" if is_shared else classes[kind]


def _hours() -> Hours:
    """Open day and night: a demo is looked at at any time."""
    hours = Hours.objects.create(name="Day and night", time_zone="Europe/London")
    for weekday in range(7):
        OpeningTime.objects.create(hours=hours, weekday=weekday, opens=time(0), closes=time(0))
    return hours


def _past_call(contact: Contact, number: PhoneNumber | None, at: datetime, note: str) -> None:
    agent = Agent.objects.order_by("pk").first()
    call = Call.objects.create(
        number=number,
        contact=contact,
        agent=agent,
        queue=number.queue if number else None,
        team=number.team if number else None,
        caller=contact.e164,
        state="ended",
        outcome="answered",
        started_at=at,
        answered_at=at + timedelta(seconds=12),
        ended_at=at + timedelta(seconds=200),
    )
    if agent is not None:
        Note.objects.create(call=call, by=agent.user, text=note, updated_at=at + timedelta(seconds=210))


def _user(name: str, password: str | None) -> User:
    """A user in the group that the name says; agents otherwise. None: nobody can sign in as this one."""
    user = User.objects.create(
        username=name, password=make_password(password), is_staff=name == "admin", is_superuser=False
    )
    user.groups.add(Group.objects.get(name=GROUPS.get(name, "Agent")))
    return user
