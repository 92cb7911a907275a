"""What is an agent's own. Whatever is another's is not found, exactly like what does not exist."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from calls.access import may_call_out, may_watch, scope_of
from calls.models import Agent, Call, Callback, Contact, Matter, Offer, Voicemail, WrapUp
from calls.models.offer import OPEN
from calls.selectors import call as calls
from calls.selectors.desk import callbacks_of
from calls.text import to_call

__all__ = [
    "call",
    "callback",
    "callback_to_call",
    "contact",
    "matter",
    "number_to_dial",
    "offer",
    "voicemail",
    "wrapup",
]


def offer(agent: Agent, pk: int) -> Offer | None:
    """Their offer, ringing or accepted."""
    rows = Offer.objects.select_related("call__number", "call__queue", "callback", "waiting", "agent")
    return rows.filter(pk=pk, agent=agent, state__in=OPEN).first()


def call(agent: Agent, pk: int) -> Call | None:
    """A call that they take part in now, or took part in."""
    return _calls(agent).select_related("number", "contact", "queue").filter(pk=pk).first()


def wrapup(agent: Agent, pk: int) -> WrapUp | None:
    """Their wrap-up, closed or not."""
    return WrapUp.objects.select_related("call", "queue").filter(pk=pk, agent=agent).first()


def callback(agent: Agent, pk: int) -> Callback | None:
    """An open promise that they may keep, or one to the caller of their present call."""
    present = Exists(_present(agent).filter(Q(caller=OuterRef("e164")) | Q(pk=OuterRef("call"))))
    row = callbacks_of(agent).filter(pk=pk).first()
    return row or Callback.objects.open().filter(present, pk=pk).first()


def callback_to_call(agent: Agent, pk: int) -> Callback | None:
    """An open promise of their list."""
    return callbacks_of(agent).select_related("call__number").filter(pk=pk).first()


def number_to_dial(agent: Agent, pk: int) -> str:
    """The caller's number of a call, for the field to dial; nothing if there is none that they may call.

    The call was theirs, left a message for one of their queues, or is among those that they may watch.
    """
    if not may_call_out(agent.user):
        return ""
    message = Exists(_messages(agent).filter(call=OuterRef("pk")))
    found = call(agent, pk) or Call.objects.filter(message, pk=pk).first()
    if found is None and may_watch(agent.user):
        found = calls.find(pk, scope_of(agent.user))
    return to_call(found.caller) if found else ""


def contact(agent: Agent, pk: int) -> Contact | None:
    """The contact of one of their calls."""
    return Contact.objects.filter(Exists(_calls(agent).filter(contact=OuterRef("pk"))), pk=pk).first()


def matter(agent: Agent, pk: int) -> Matter | None:
    """Something open with the contact of one of their calls."""
    theirs = Exists(_calls(agent).filter(contact=OuterRef("contact")))
    return Matter.objects.filter(theirs, pk=pk).first()


def voicemail(agent: Agent, pk: int) -> Voicemail | None:
    """A message for one of their queues, or of the caller of their present call."""
    caller = Q(contact=OuterRef("call__contact")) | Q(caller=OuterRef("call__caller")) & ~Q(caller="")
    present = Exists(_present(agent).filter(caller))
    ours = Q(pk__in=_messages(agent).values("pk"))
    return Voicemail.objects.filter(ours | present, pk=pk).first()


def _messages(agent: Agent) -> QuerySet[Voicemail]:
    return Voicemail.objects.filter(queue__in=agent.queues.values("pk"))


def _calls(agent: Agent) -> QuerySet[Call]:
    took = Q(accepted_at__isnull=False) | Q(state__in=OPEN)
    part = Exists(Offer.objects.filter(took, agent=agent, call=OuterRef("pk")))
    written = Exists(WrapUp.objects.filter(agent=agent, call=OuterRef("pk")))
    return Call.objects.filter(part | written)


def _present(agent: Agent) -> QuerySet[Call]:
    offered = Exists(Offer.objects.filter(agent=agent, state__in=OPEN, call=OuterRef("pk")))
    written = Exists(WrapUp.objects.filter(agent=agent, closed_at__isnull=True, call=OuterRef("pk")))
    return Call.objects.filter(offered | written)
