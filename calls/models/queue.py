"""Queues, and the calls that wait in them."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone


def seconds(low: int, high: int) -> list[Any]:
    """Validators for a time in seconds."""
    return [MinValueValidator(low), MaxValueValidator(high)]


class Queue(models.Model):
    """Callers who wait for one of some agents, and what they meet while they wait."""

    class Overflow(models.TextChoices):
        STAY = "stay", "Go on waiting"
        VOICEMAIL = "voicemail", "Leave a message"
        QUEUE = "queue", "Another queue"
        PHONE = "phone", "A telephone number"
        END = "end", "Say sorry and hang up"

    name = models.CharField(max_length=80, unique=True, help_text="As people see it, such as Support.")
    team = models.ForeignKey(
        "calls.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="queues"
    )
    agents = models.ManyToManyField("calls.Agent", blank=True, related_name="queues")
    priority = models.SmallIntegerField(
        default=0, validators=seconds(-9, 9), help_text="Callers of a higher one are served first (−9 to 9)."
    )
    target_seconds = models.PositiveIntegerField(
        default=20, validators=seconds(1, 3600), help_text="Service level: answered within these seconds."
    )
    target_percent = models.PositiveIntegerField(default=80, validators=seconds(1, 100))
    warn_seconds = models.PositiveIntegerField(
        "warn after", default=30, validators=seconds(1, 3600), help_text="A wait this long is a warning."
    )
    bad_seconds = models.PositiveIntegerField(
        "bad after", default=90, validators=seconds(1, 7200), help_text="A wait this long is bad."
    )
    ring_seconds = models.PositiveIntegerField("ring an agent for", default=20, validators=seconds(5, 60))
    wrapup_seconds = models.PositiveIntegerField("wrap-up", default=30, validators=seconds(0, 900))
    max_waiting = models.PositiveIntegerField(
        default=50, validators=seconds(1, 1000), help_text="One more caller meets the overflow at once."
    )
    overflow_seconds = models.PositiveIntegerField(
        "overflow after", default=600, validators=seconds(10, 14400)
    )
    overflow = models.CharField(max_length=9, choices=Overflow.choices, default=Overflow.STAY)
    overflow_queue = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    overflow_to = models.CharField("overflow telephone", max_length=16, blank=True, help_text="E.164.")
    announce_position = models.BooleanField(default=True)
    offer_voicemail = models.BooleanField(default=True, help_text="Press 1 to leave a message.")
    offer_callback = models.BooleanField(default=True, help_text="Press 2 to be called back.")
    music = models.URLField(blank=True, help_text="An audio file (WAV or MP3); ours if empty.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Outcome(models.Model):
    """One way in which a call of a queue can end, as agents choose it in the wrap-up."""

    queue = models.ForeignKey(Queue, on_delete=models.CASCADE, related_name="outcomes")
    label = models.CharField(max_length=60)
    order = models.PositiveSmallIntegerField(default=0)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["order", "label"]
        constraints = [models.UniqueConstraint(fields=["queue", "label"], name="outcome_once_a_queue")]

    def __str__(self) -> str:
        return self.label


class WaitingQuerySet(models.QuerySet["Waiting"]):
    def open(self) -> "WaitingQuerySet":
        """Those who still wait."""
        return self.filter(left_at__isnull=True)


class Waiting(models.Model):
    """A call that waits for an agent: any of its queue, or one in particular. One open row a call."""

    class Result(models.TextChoices):
        NONE = "", "Waiting"
        ANSWERED = "answered", "Answered"
        ABANDONED = "abandoned", "Hung up"
        VOICEMAIL = "voicemail", "Left a message"
        CALLBACK = "callback", "Will be called back"
        OVERFLOW = "overflow", "Overflowed"
        MOVED = "moved", "Moved"
        FAILED = "failed", "Failed"

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="waits")
    queue = models.ForeignKey(Queue, on_delete=models.SET_NULL, null=True, blank=True, related_name="waits")
    agent = models.ForeignKey(
        "calls.Agent",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="waits",
        help_text="Only for this agent: a transfer, or a call whose agent's page was lost.",
    )
    agent_until = models.DateTimeField(
        null=True, blank=True, help_text="Kept for that agent until then; afterwards for the queue's."
    )
    priority = models.SmallIntegerField(default=0)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it was sent here, for the agent.")
    entered_at = models.DateTimeField(
        default=timezone.now, help_text="Since when they wait, whichever queues they came through."
    )
    created_at = models.DateTimeField(default=timezone.now, help_text="Since when in this place.")
    left_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=9, choices=Result.choices, default=Result.NONE, blank=True)

    objects = WaitingQuerySet.as_manager()

    class Meta:
        ordering = ["-priority", "entered_at", "id"]
        verbose_name_plural = "waiting"
        indexes = [models.Index(fields=["left_at"], name="waiting_by_left")]
        constraints = [
            models.UniqueConstraint(
                fields=["call"], condition=Q(left_at__isnull=True), name="waiting_once_a_call"
            ),
            models.CheckConstraint(
                condition=Q(left_at__isnull=True, result="") | (Q(left_at__isnull=False) & ~Q(result="")),
                name="waiting_left_with_its_result",
            ),
        ]

    def __str__(self) -> str:
        return f"Waiting {self.pk}"


class BlockedCaller(models.Model):
    """A caller who hears that they cannot be connected: a number, or all who withhold theirs."""

    WITHHELD = "withheld"

    e164 = models.CharField(
        "caller", max_length=255, unique=True, help_text="E.164, client:…, sip:…, or the word withheld."
    )
    reason = models.CharField(max_length=200, blank=True)
    until = models.DateTimeField(null=True, blank=True, help_text="Empty: for good.")
    created_by = models.ForeignKey(
        "calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["e164"]

    def __str__(self) -> str:
        return self.e164
