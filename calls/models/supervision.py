"""What supervisors do with a live call: mark a moment, listen, coach, join."""

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from calls.stamp import iso

__all__ = ["Listening", "Moment", "Supervision"]


class Moment(models.Model):
    """A place in a call that somebody marked to find it again."""

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="moments")
    by = models.ForeignKey("calls.User", on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    at_ms = models.PositiveIntegerField(help_text="Call time.")
    text = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["at_ms", "id"]

    def __str__(self) -> str:
        return f"Moment of call {self.call_id} at {self.at_ms} ms"

    def as_message(self) -> dict[str, Any]:
        """The moment as browsers get it; needs `by`."""
        return {
            "moment": self.pk,
            "call": self.call_id,
            "by": self.by.shown() if self.by else "",
            "marked_at": iso(self.at),
            "at_ms": self.at_ms,
            "text": self.text,
        }


class ListeningQuerySet(models.QuerySet["Listening"]):
    def going_on(self, now: datetime) -> "ListeningQuerySet":
        """Those that have not ended and whose socket has shown life."""
        return self.filter(ended_at__isnull=True, seen_until__gt=now)


class Listening(models.Model):
    """One person hears one call through the media fork: no leg, nobody in the call notices the sound.

    The socket extends `seen_until`; one whose process died ends by it.
    """

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="listenings")
    by = models.ForeignKey("calls.User", on_delete=models.CASCADE, related_name="+")
    began_at = models.DateTimeField(default=timezone.now)
    seen_until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ListeningQuerySet.as_manager()

    class Meta:
        ordering = ["began_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["call", "by"], condition=Q(ended_at__isnull=True), name="listening_once_a_person"
            )
        ]

    def __str__(self) -> str:
        return f"Listening to call {self.call_id}"

    def as_message(self) -> dict[str, Any]:
        """The listening as browsers get it; needs `by`."""
        return {
            "listening": self.pk,
            "call": self.call_id,
            "by": self.by.shown(),
            "user": self.by_id,
            "began_at": iso(self.began_at),
            "ended_at": iso(self.ended_at) if self.ended_at else None,
        }


class SupervisionQuerySet(models.QuerySet["Supervision"]):
    def joined(self) -> "SupervisionQuerySet":
        """Those who talk with the person of the call; a coach is not heard by them."""
        return self.filter(state=Supervision.State.IN, mode=Supervision.Mode.JOIN)


class Supervision(models.Model):
    """A supervisor in the conference of a call: heard by the agent alone (coach), or by everybody (join).

    Its leg is known by the label `supervisor-<id>`. One a call and one a person at a time.
    """

    class Mode(models.TextChoices):
        COACH = "coach", "Coaching"
        JOIN = "join", "In the call"

    class State(models.TextChoices):
        RINGING = "ringing", "Connecting"
        IN = "in", "Connected"
        ENDED = "ended", "Ended"

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="supervisions")
    by = models.ForeignKey("calls.User", on_delete=models.CASCADE, related_name="+")
    mode = models.CharField(max_length=5, choices=Mode.choices)
    state = models.CharField(max_length=7, choices=State.choices, default=State.RINGING)
    conference = models.ForeignKey("calls.Conference", on_delete=models.CASCADE, related_name="supervisions")
    coached_sid = models.CharField(max_length=34, blank=True, help_text="The agent's leg that hears a coach.")
    leg_sid = models.CharField(max_length=34, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(help_text="Rings until then.")
    joined_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = SupervisionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["call"], condition=~Q(state="ended"), name="supervision_once_a_call"
            ),
            models.UniqueConstraint(
                fields=["by"], condition=~Q(state="ended"), name="supervision_once_a_person"
            ),
            models.CheckConstraint(
                condition=(Q(state="ended") & Q(ended_at__isnull=False))
                | (~Q(state="ended") & Q(ended_at__isnull=True)),
                name="supervision_ended_with_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mode} of call {self.call_id}"

    def label(self) -> str:
        """What names its leg at Twilio."""
        return f"supervisor-{self.pk}"

    def as_message(self) -> dict[str, Any]:
        """The supervision as browsers get it; needs `by`."""
        return {
            "supervision": self.pk,
            "call": self.call_id,
            "by": self.by.shown(),
            "user": self.by_id,
            "mode": self.mode,
            "state": self.state,
            "created_at": iso(self.created_at),
            "joined_at": iso(self.joined_at) if self.joined_at else None,
            "ended_at": iso(self.ended_at) if self.ended_at else None,
        }
