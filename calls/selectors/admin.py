"""What the admin shows of streams, by the relation that only selectors may name, and of who uses a queue."""

from typing import Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from calls.models import Call, CallState, Leg, PhoneNumber, Queue

__all__ = [
    "calls_with_streams",
    "numbers_with_streams",
    "queue_users",
    "streaming_now",
    "streams_of",
    "without_stream",
]

_OPEN = Q(legs__streams__isnull=False, legs__streams__closed_at__isnull=True)
_OPENED = Q(calls__legs__streams__isnull=False, calls__legs__streams__closed_at__isnull=True)


def calls_with_streams(calls: QuerySet[Call]) -> QuerySet[Call]:
    """The calls, each with `open_streams`: how many of its streams are open."""
    return calls.annotate(open_streams=Count("legs__streams", filter=_OPEN, distinct=True))


def numbers_with_streams(numbers: QuerySet[PhoneNumber]) -> QuerySet[PhoneNumber]:
    """The numbers, each with `live_calls` and `open_streams` now, and when its `last_call` began."""
    live = ~Q(calls__state=CallState.ENDED)
    return numbers.annotate(
        live_calls=Count("calls", filter=Q(calls__isnull=False) & live, distinct=True),
        open_streams=Count("calls__legs__streams", filter=_OPENED, distinct=True),
        last_call=Max("calls__started_at"),
    )


def streaming_now(numbers: QuerySet[PhoneNumber]) -> QuerySet[PhoneNumber]:
    """Numbers with an open stream on one of their calls."""
    return numbers.filter(_OPENED).distinct()


def without_stream(numbers: QuerySet[PhoneNumber]) -> QuerySet[PhoneNumber]:
    """Numbers that are not streaming: switched off, or with a live call that has no open stream."""
    tapped = Leg.objects.filter(call=OuterRef("pk"), streams__isnull=False, streams__closed_at__isnull=True)
    bare = Call.objects.live().filter(~Exists(tapped), number=OuterRef("pk"))
    return numbers.filter(Q(stream=False) | Exists(bare))


def streams_of(call: Call) -> list[Any]:
    """The call's streams, oldest first, each with its leg and ticket."""
    legs = call.legs.prefetch_related("streams__ticket")
    found = [stream for leg in legs for stream in leg.streams.all()]
    return sorted(found, key=lambda stream: stream.opened_at)


def queue_users(queue: Queue) -> list[str]:
    """Why a queue cannot be deleted now, in words: who waits in it, which numbers and queues lead to it."""
    waiting = queue.waits.filter(left_at__isnull=True).count()
    numbers = [str(number) for number in PhoneNumber.objects.filter(queue=queue)[:20]]
    others = Queue.objects.filter(overflow=Queue.Overflow.QUEUE, overflow_queue=queue)
    queues = [f"the overflow of {other}" for other in others[:20]]
    waits = [f"{waiting} waiting caller{'s' if waiting > 1 else ''}"] if waiting else []
    return [*waits, *numbers, *queues]
