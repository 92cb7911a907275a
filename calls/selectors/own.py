"""What is an agent's own. Whatever is another's is not found, exactly like what does not exist."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from calls.models import Agent, Call, Callback, Contact, Matter, Offer, Voicemail, WrapUp
from calls.models.offer import OPEN
from calls.selectors.desk import callbacks_of

__all__ = ["call", "callback", "contact", "matter", "offer", "voicemail", "wrapup"]


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
    ours = Q(queue__in=agent.queues.values("pk"))
    return Voicemail.objects.filter(ours | present, pk=pk).first()


def _calls(agent: Agent) -> QuerySet[Call]:
    took = Q(accepted_at__isnull=False) | Q(state__in=OPEN)
    part = Exists(Offer.objects.filter(took, agent=agent, call=OuterRef("pk")))
    written = Exists(WrapUp.objects.filter(agent=agent, call=OuterRef("pk")))
    return Call.objects.filter(part | written)


def _present(agent: Agent) -> QuerySet[Call]:
    offered = Exists(Offer.objects.filter(agent=agent, state__in=OPEN, call=OuterRef("pk")))
    written = Exists(WrapUp.objects.filter(agent=agent, closed_at__isnull=True, call=OuterRef("pk")))
    return Call.objects.filter(offered | written)
