"""The world of tests with real processes: people who can sign in, two numbers, one known caller."""

from calls.models import PhoneNumber
from tests import people

SUPPORT = "+31201234567"
SALES = "+31201234568"


def make() -> None:
    """Make it, once or again; run inside an installation (`Site.prepare`)."""
    people.mina(), people.ada(), people.eve(), people.carla()
    agent = people.agent_jonas()
    PhoneNumber.objects.get_or_create(
        e164=SUPPORT,
        defaults={"label": "Support", "destination": "phone", "forward_to": agent.e164, "agent": agent},
    )
    PhoneNumber.objects.get_or_create(
        e164=SALES,
        defaults={"label": "Sales", "destination": "agent", "agent": agent},
    )
