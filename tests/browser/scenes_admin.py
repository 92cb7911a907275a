"""Scenes of the administration: numbers of every destination, a voice with all that it may have."""

from django.utils import timezone

from calls.models import Action, Call, PhoneNumber, Queue, Voice, VoiceTable
from contactcenter import seeding
from tests import factories, people


def destinations() -> None:
    """A number for each destination, with long names, and a call on each."""
    queue = Queue.objects.create(name="Complaints and returns")
    voice, _ = Voice.objects.get_or_create(name="Riverside self-service")
    for at, kind in enumerate(PhoneNumber.Destination.values):
        number = factories.number(
            label=f"Bicycles and repairs {kind}",
            destination=kind,
            queue=queue,
            voice=voice,
            agent=people.agent_jonas(),
            forward_to="+31201234999",
            region=("us1", "ie1")[at % 2],
            webhook_state="differs",
        )
        Call.objects.create(number=number, caller=people.CALLER, started_at=timezone.now())


def voice() -> int:
    """The voice of the demo with an action of each kind."""
    queue = Queue.objects.create(name="Complaints and returns, second line")
    text = seeding.FLOW.read_text(encoding="utf-8")
    made, _ = Voice.objects.get_or_create(name="Self-service", defaults={"text": text})
    rows = (("person", "queue", ""), ("call_back", "callback", ""), ("plumber", "phone", "+31201234999"))
    for name, kind, phone in rows:
        row = {"kind": kind, "queue": None if phone else queue, "phone": phone, "description": "On request."}
        Action.objects.update_or_create(voice=made, name=name, defaults=row)
    VoiceTable.objects.get_or_create(voice=made, name="orders", defaults={"text": seeding.ORDERS})
    return made.pk
