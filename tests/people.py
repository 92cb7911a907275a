"""The named people of every test: Mina supervises, Jonas answers, Ada administers, Eve may do nothing."""

from django.contrib.auth.models import Group

from calls.models import Agent, Contact, User

PASSWORD = "a password for tests"

MINA, JONAS, ADA, EVE = "mina", "jonas", "ada", "eve"
CALLER = "+31612345678"


def person(username: str, group: str | None = None, *, staff: bool = False) -> User:
    """A user with the tests' password, in the group if one is named; found again if already made."""
    user, made = User.objects.get_or_create(
        username=username, defaults={"first_name": username.title(), "is_staff": staff}
    )
    if made:
        user.set_password(PASSWORD)
        user.save()
    if group:
        user.groups.add(Group.objects.get(name=group))
    return user


def mina() -> User:
    """The supervisor."""
    return person(MINA, "Supervisor", staff=True)


def jonas() -> User:
    """The agent's user."""
    return person(JONAS, "Agent")


def ada() -> User:
    """The admin; not a superuser: what she may, her group gives her."""
    return person(ADA, "Admin", staff=True)


def eve() -> User:
    """Signed in, and in no group."""
    return person(EVE)


def agent_jonas() -> Agent:
    """Jonas as one who answers calls in the browser."""
    found, _ = Agent.objects.get_or_create(
        user=jonas(), defaults={"name": "Jonas", "identity": "agent_jonas", "e164": "+31201234999"}
    )
    return found


def carla() -> Contact:
    """The caller that we know."""
    found, _ = Contact.objects.get_or_create(e164=CALLER, defaults={"name": "Carla Visser"})
    return found
