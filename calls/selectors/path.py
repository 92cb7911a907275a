"""What decides a caller's path: the number's settings and hours, who is blocked, who is before whom."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Q

from calls import hours, path, steps
from calls.models import BlockedCaller, Callback, PhoneNumber, Queue, Waiting
from calls.selectors.numbers import schedule_of
from calls.text import e164
from calls.waiting import Offers

__all__ = ["Known", "is_blocked", "is_full", "known", "number_of", "offers", "position", "settings_of"]


@dataclass(frozen=True)
class Known:
    """All that decides about a number but the caller: enough to go on with without a database."""

    settings: path.NumberSettings
    schedule: hours.Schedule | None
    zone: ZoneInfo

    def is_open(self, now: datetime) -> bool:
        """Whether the number is open at `now`; without hours it always is."""
        return self.schedule is None or hours.is_open(self.schedule, now.astimezone(self.zone))

    def closed(self, now: datetime) -> steps.Say:
        """What is said when it is closed at `now`."""
        local = now.astimezone(self.zone)
        opens = hours.next_opening(self.schedule, local) if self.schedule else None
        return path.closed_text(self.settings.closed_text, now=local, opens=opens)


def number_of(dialled: str) -> PhoneNumber | None:
    """The number that was dialled, with its agent, queue, voice and team."""
    return (
        PhoneNumber.objects.select_related("agent", "queue__team", "team", "hours", "voice__queue")
        .filter(e164=dialled)
        .first()
    )


def known(number: PhoneNumber) -> Known:
    """What decides about the number. Two queries if it has hours."""
    schedule = schedule_of(number.hours) if number.hours else None
    zone = ZoneInfo(number.hours.time_zone) if number.hours else ZoneInfo("UTC")
    return Known(settings_of(number), schedule, zone)


def settings_of(number: PhoneNumber) -> path.NumberSettings:
    """What the number's owner chose, without rows; one query for a voice that was not read with it."""
    return path.NumberSettings(
        e164=number.e164,
        destination=number.destination,
        target=number.forward_to,
        consent=number.consent.strip(),
        stream=number.stream,
        queue=number.queue_id if number.destination == PhoneNumber.Destination.QUEUE else None,
        agent=number.agent_id,
        voice=number.voice_id,
        voice_queue=number.voice.queue_id if number.voice else None,
        greeting=number.greeting.strip(),
        language=number.language or "en-GB",
        closed=number.closed,
        closed_text=number.closed_text.strip(),
        closed_to=number.closed_to,
        verify=number.verify,
        verify_prompt=number.verify_prompt.strip(),
    )


def is_blocked(caller: str, *, now: datetime) -> bool:
    """Whether this caller is blocked now. Who can be named by no number or address never is."""
    key = path.block_key(caller)
    if not key:
        return False
    still = Q(until__isnull=True) | Q(until__gt=now)
    return BlockedCaller.objects.filter(still, e164__iexact=key).exists()


def is_full(queue: Queue) -> bool:
    """Whether one more caller would be too many."""
    return Waiting.objects.open().filter(queue=queue).count() >= queue.max_waiting


def offers(queue: Queue | None, caller: str) -> Offers:
    """What is offered to this caller while waiting; who waits for one agent is offered both."""
    dialable = bool(e164(caller))
    if queue is None:
        return Offers(position=True, voicemail=True, callback=dialable)
    return Offers(queue.announce_position, queue.offer_voicemail, queue.offer_callback and dialable)


def position(waiting: Waiting, *, now: datetime) -> int:
    """Who is before them, and one more: by priority, then by when they came; kept places count once they are
    due.
    """
    here = Q(queue=waiting.queue) if waiting.queue_id else Q(queue__isnull=True, agent=waiting.agent)
    before = Q(priority__gt=waiting.priority) | Q(
        priority=waiting.priority, entered_at__lt=waiting.entered_at
    )
    same = Q(priority=waiting.priority, entered_at=waiting.entered_at, pk__lt=waiting.pk)
    ahead = Waiting.objects.open().filter(here).filter(before | same).exclude(pk=waiting.pk).count()
    kept = Q(priority__gt=waiting.priority) | Q(priority=waiting.priority, place_at__lt=waiting.entered_at)
    return 1 + ahead + Callback.objects.open().filter(here, due_at__lte=now).filter(kept).count()
