"""The small world of the demo: people who sign in, agents with telephones, numbers, callers with names.

All numbers are from ranges kept free for fiction (020 7946 0000 to 0999, 07700 900000 to 900999).
"""

import secrets
from dataclasses import dataclass

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group

from calls.models import Agent, Contact, PhoneNumber, User

__all__ = ["LOGINS", "NUMBERS", "Login", "caller_number", "contacts", "world"]

LOGINS = ("supervisor", "agent", "admin")
AGENTS = (("agent", "Jonas Weber"), ("amira", "Amira Haddad"), ("sofie", "Sofie Lund"))
NUMBERS = (("+442079460100", "Support"), ("+442079460101", "Sales"), ("+442079460102", "Bookings"))


@dataclass(frozen=True)
class Login:
    """Who may sign in to this demo; made anew at each start."""

    username: str
    password: str


def world() -> dict[str, Login]:
    """Make people, agents and numbers in an empty, migrated database; the logins by role."""
    logins = {name: Login(name, secrets.token_urlsafe(9)) for name in LOGINS}
    users = {name: _user(name, login.password) for name, login in logins.items()}
    agents = []
    for at, (username, name) in enumerate(AGENTS):
        user = users.get(username) or _user(username, None)
        telephone = f"+4420794602{at:02}"
        agents.append(Agent.objects.create(user=user, name=name, identity=username, e164=telephone))
    for agent, (e164, label) in zip(agents, NUMBERS, strict=True):
        PhoneNumber.objects.create(
            e164=e164, label=label, destination="phone", forward_to=agent.e164, agent=agent
        )
    return logins


def contacts(names: list[str]) -> None:
    """One contact for each name, by the number that `caller_number` gives it."""
    Contact.objects.bulk_create(
        Contact(name=name, e164=caller_number(at)) for at, name in enumerate(names) if name
    )


def caller_number(at: int) -> str:
    """The telephone of the caller at this place in the list."""
    return f"+447700900{100 + at % 900:03}"


def _user(name: str, password: str | None) -> User:
    """A user in the group that the name says; agents otherwise. None: nobody can sign in as this one."""
    user = User.objects.create(
        username=name, password=make_password(password), is_staff=name == "admin", is_superuser=False
    )
    group = name.capitalize() if name in LOGINS else "Agent"
    user.groups.add(Group.objects.get(name=group))
    return user
