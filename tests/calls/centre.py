"""A small contact centre in rows: a queue, agents at their desks, callers who wait; and Twilio for it."""

import itertools
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.test import Client

from calls.events import change
from calls.models import Agent, Call, Command, Leg, Offer, Queue, User
from calls.services import queues, routing
from tests import factories, twilio
from tests.calls.rest import Rest, call_body
from tests.factories import NOON

_names = itertools.count(1)
ACCOUNT = twilio.ACCOUNT_SID


def agent(queue: Queue | None = None, *, now: datetime = NOON, **fields: Any) -> Agent:
    """An agent, Ready at their desk since `now`, in the queue."""
    n = next(_names)
    user = User.objects.create(username=f"agent{n}")
    given = {
        "name": f"Agent {n}",
        "identity": f"agent_{n}",
        "status": "ready",
        "phone_ok": True,
        "since": now,
        "idle_since": now,
        "present_until": now + timedelta(hours=1),
        "desk": "a-desk",
        **fields,
    }
    made = Agent.objects.create(user=user, **given)
    if queue is not None:
        queue.agents.add(made)
    return made


def queue(**fields: Any) -> Queue:
    """A queue without outcomes, and so without wrap-up work."""
    fields.setdefault("name", f"Queue {next(_names)}")
    return Queue.objects.create(**fields)


def caller(of: Queue, *, now: datetime = NOON, **fields: Any) -> Call:
    """A caller who waits in the queue since `now`."""
    number = factories.number(destination="queue", queue=of)
    call = factories.call(state="ringing", number=number, dials=True, started_at=now, **fields)
    factories.leg(call, started_at=now)
    with change(at=now) as told:
        queues.enter(told, call=call, queue=of, now=now)
    return call


@dataclass
class Centre:
    """Twilio's side by hand: answers REST, and tells what happened by signed webhooks when asked to."""

    rest: Rest
    client: Client = field(default_factory=Client)
    now: datetime = NOON
    _sids: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.rest.rules.insert(0, self._answer)

    def _answer(self, asked: Any) -> Any:
        parts = asked.path.strip("/").split("/")
        if parts[0] == "Conferences" and parts[-1] == "Participants.json" and asked.method == "POST":
            sid = f"CA{next(self._sids):032x}"
            return 201, {"call_sid": sid, "account_sid": ACCOUNT, "label": asked.form["Label"]}
        if parts[0] == "Conferences" and asked.method in {"POST", "DELETE"}:
            return 200, {"call_sid": parts[-1].removesuffix(".json"), "account_sid": ACCOUNT}
        if parts[0] == "Calls" and len(parts) == 2 and asked.method == "POST":
            return 200, call_body(parts[1].removesuffix(".json"))
        return None

    def later(self, seconds: float) -> None:
        """Time goes by."""
        self.now += timedelta(seconds=seconds)

    def settle(self, *, rounds: int = 3) -> None:
        """The worker's tick, often enough for one thing to lead to the next."""
        for _ in range(rounds):
            routing.settle(now=self.now)

    def asked(self, kind: str) -> list[Command]:
        """The commands of a kind, oldest first."""
        return list(Command.objects.filter(kind=kind).order_by("created_at"))

    def offer(self, call: Call) -> Offer:
        """The call's newest offer."""
        return call.offers.order_by("-created_at", "-id")[0]

    def tell_leg(self, offer: Offer, status: str, *, sequence: int = 1) -> None:
        """Twilio tells the status of an agent's leg."""
        offer.refresh_from_db()
        fields = twilio.status_fields(
            status, sequence=sequence, CallSid=offer.leg_sid, Timestamp=self._stamp()
        )
        self.post(f"/twilio/legs/{offer.label()}/", fields)

    def tell_room(self, name: str, event: str, sid: str = "", *, label: str = "", sequence: int = 0) -> None:
        """Twilio tells an event of a conference."""
        self.post("/twilio/conference/", self.room_fields(name, event, sid, label=label, sequence=sequence))

    def room_fields(
        self, name: str, event: str, sid: str = "", *, label: str = "", sequence: int = 0
    ) -> dict[str, str]:
        """The fields of a conference's callback."""
        member = {"CallSid": sid, "ParticipantLabel": label, "Muted": "false", "Hold": "false"} if sid else {}
        return {
            "AccountSid": ACCOUNT,
            "ConferenceSid": f"CF{abs(hash(name)) % 16**32:032x}",
            "FriendlyName": name,
            "SequenceNumber": str(sequence),
            "StatusCallbackEvent": event,
            "Timestamp": self._stamp(),
            **member,
        }

    def answer(self, call: Call) -> Offer:
        """The agent answers, the caller is fetched, both sit in the conference."""
        offer = self.offer(call)
        self.tell_leg(offer, "in-progress")
        self.settle()
        offer.refresh_from_db()
        self.sit(offer)
        return offer

    def sit(self, offer: Offer) -> None:
        """Both come into the conference."""
        assert offer.conference is not None
        name = offer.conference.name
        self.tell_room(name, "participant-join", offer.leg_sid, label=offer.label(), sequence=1)
        self.tell_room(name, "participant-join", self.caller_leg(offer.call).sid, label="caller", sequence=2)
        self.tell_room(name, "conference-start", sequence=3)

    def hang_up(self, sid: str) -> None:
        """A leg ends by itself."""
        offer = Offer.objects.filter(leg_sid=sid).first()
        fields = twilio.status_fields("completed", sequence=9, CallSid=sid, Timestamp=self._stamp())
        self.post(f"/twilio/legs/{offer.label()}/" if offer else "/twilio/call-status/", fields)

    def caller_leg(self, call: Call) -> Leg:
        """The leg of the person."""
        return call.legs.get(kind__in=("caller", "person"))

    def post(self, path: str, fields: dict[str, str]) -> None:
        """A signed webhook that is taken in at this world's time, not at the machine's."""
        with patch("django.utils.timezone.now", return_value=self.now):
            response = twilio.signed_post(self.client, path, fields)
        assert response.status_code in {200, 204}, (path, response.status_code)

    def _stamp(self) -> str:
        return self.now.strftime("%a, %d %b %Y %H:%M:%S +0000")
