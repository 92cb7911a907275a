"""Agents' presence and status. A desk's own beats decide whether its agent is there; nothing else does."""

from contextlib import suppress
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils.translation import gettext

from calls.counters import count
from calls.events import Change, change
from calls.models import Agent, Offer
from calls.models.offer import OPEN
from calls.refusal import Refused
from calls.text import clean

__all__ = [
    "PRESENT_SECONDS",
    "beat",
    "idle",
    "make_away",
    "notice_absent",
    "return_to_work",
    "set_phone",
    "set_status",
    "sit",
    "stand_up",
]

PRESENT_SECONDS = 20  # beats come every 5 s: three may be lost, and a closed laptop is Away within 30 s
_RELOAD_SECONDS = 8  # a page that is loaded again is back by then
_AT_ONCE = 100
MISSED, DECLINED, CONNECTION = "missed", "declined", "connection"


def sit(*, agent_id: int, desk: str, take: bool, now: datetime) -> bool:
    """Open this tab (`desk`, its own UUID) as the one desk of the agent; False: another is open.

    The phone of a new tab counts as absent until the tab says that it is registered.
    """
    seat = Agent.objects.filter(pk=agent_id)
    if not take:
        seat = seat.filter(
            Q(desk=desk) | Q(desk="") | Q(present_until__isnull=True) | Q(present_until__lte=now)
        )
    with change(at=now) as told:
        known = Agent.objects.filter(pk=agent_id, desk=desk).exists()
        phone = {} if known else {"phone_ok": False}
        until = now + timedelta(seconds=PRESENT_SECONDS)
        if not seat.update(desk=desk, present_until=until, **phone):
            return False
        _tell(told, "agent.seated", agent_id)
    return True


def beat(*, agent_id: int, desk: str, now: datetime) -> bool:
    """The desk lives; False: another one has taken its place. Told only of one that was thought dead."""
    until = now + timedelta(seconds=PRESENT_SECONDS)
    seat = Agent.objects.filter(pk=agent_id, desk=desk)
    if seat.filter(present_until__gt=now).update(present_until=until):
        return True
    with change(at=now) as told:
        if not seat.update(present_until=until):
            return False
        _tell(told, "agent.seated", agent_id)
    return True


def stand_up(*, agent_id: int, desk: str, now: datetime) -> None:
    """The desk's socket has closed: a reload is back in a few seconds, else the agent is away then."""
    until = now + timedelta(seconds=_RELOAD_SECONDS)
    seat = Agent.objects.filter(pk=agent_id, desk=desk, present_until__gt=until)
    if seat.exists():
        seat.update(present_until=until, phone_ok=False)


def set_status(*, agent: Agent, status: str, reason: str = "", now: datetime) -> None:
    """What the agent chooses: ready, away or offline. Raises Refused."""
    if status not in Agent.Status.values:
        raise Refused("status", gettext("The status must be ready, away or offline."))
    with change(at=now) as told:
        fresh = Agent.objects.select_for_update().get(pk=agent.pk)
        if status == Agent.Status.READY:
            _check_ready(fresh, now)
        _become(told, fresh, status, "" if status == Agent.Status.READY else clean(reason, 40), now)


def return_to_work(*, agent: Agent, now: datetime) -> None:
    """After a call: whom a lost connection has made Away is Ready again, if their phone works."""
    lost = Agent.objects.filter(pk=agent.pk, status=Agent.Status.AWAY, reason=CONNECTION)
    if lost.exists():
        with suppress(Refused):
            set_status(agent=agent, status=Agent.Status.READY, now=now)


def set_phone(*, agent: Agent, kind: str, ok: bool, now: datetime) -> None:
    """Which phone is used and whether it works. Raises Refused; not during a call, whose phone it is."""
    if kind not in Agent.Phone.values:
        raise Refused("phone", gettext("The phone must be browser or telephone."))
    if kind == Agent.Phone.TELEPHONE and not agent.e164:
        raise Refused("phone", gettext("No telephone number is known for you. An admin can enter it."))
    with change(at=now) as told:
        fresh = Agent.objects.select_for_update().get(pk=agent.pk)
        if fresh.phone != kind and Offer.objects.filter(agent=fresh, state__in=OPEN).exists():
            raise Refused("on_call", gettext("The phone can be changed after this call."))
        if (fresh.phone, fresh.phone_ok) == (kind, ok):
            return
        Agent.objects.filter(pk=fresh.pk).update(phone=kind, phone_ok=ok)
        _tell(told, "agent.phone", fresh.pk)


def make_away(told: Change, agent_id: int, reason: str, *, now: datetime) -> bool:
    """Away for a reason that the agent did not choose; False: they were not Ready, and stay as they are."""
    ready = Agent.objects.filter(pk=agent_id, status=Agent.Status.READY)
    if not ready.update(status=Agent.Status.AWAY, reason=reason, since=now):
        return False
    count(f"agent.away.{reason}")
    _tell(told, "agent.away", agent_id)
    return True


def idle(told: Change, agent_id: int, *, now: datetime) -> None:
    """The agent has finished with a call: idle from now on."""
    Agent.objects.filter(pk=agent_id).update(idle_since=now)
    _tell(told, "agent.idle", agent_id)


def notice_absent(*, now: datetime) -> int:
    """Desks that show no life any more are told of, each once, and those of them that were Ready are Away;
    how many there were. Of very many the next look takes the rest.
    """
    ready = Q(status=Agent.Status.READY)
    untold = Q(absent_told__isnull=True) | ~Q(absent_told=F("present_until"))
    gone = Agent.objects.filter(
        Q(ready, present_until__isnull=True) | Q(ready | untold, present_until__lte=now)
    )
    ids = list(gone.order_by("pk").values_list("pk", flat=True)[:_AT_ONCE])
    for agent_id in ids:
        with change(at=now) as told:
            # in the same breath as the test: a desk that beats again meanwhile stays as it is
            if not gone.filter(pk=agent_id).update(absent_told=F("present_until")):
                continue
            if not make_away(told, agent_id, CONNECTION, now=now):
                _tell(told, "agent.absent", agent_id)
    return len(ids)


def _check_ready(agent: Agent, now: datetime) -> None:
    if not agent.is_present(now):
        raise Refused("no_desk", gettext("Your desk is not connected. Reload the page and try again."))
    if agent.phone == Agent.Phone.BROWSER and not agent.phone_ok:
        raise Refused(
            "no_phone", gettext("Your phone is not connected yet. Check it, or choose your own telephone.")
        )


def _become(told: Change, agent: Agent, status: str, reason: str, now: datetime) -> None:
    if (agent.status, agent.reason) == (status, reason):
        return
    fields: dict[str, object] = {"status": status, "reason": reason, "since": now}
    if status == Agent.Status.READY:
        fields["idle_since"] = now
    Agent.objects.filter(pk=agent.pk).update(**fields)
    _tell(told, f"agent.{status}", agent.pk)


def _tell(told: Change, kind: str, agent_id: int) -> None:
    told.emit(kind=kind, noun="agent", key=agent_id)
