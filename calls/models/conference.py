"""The rooms in which caller and agent meet, as Twilio's callbacks tell of them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Conference(models.Model):
    """One Twilio conference of a call. The name holds the call and the round: a caller who comes back from
    a queue meets the next agent in a new room, so that a late word about the old one changes nothing.
    """

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="conferences")
    name = models.CharField(max_length=64, unique=True, help_text="Twilio's FriendlyName, call-<id>-<round>.")
    sid = models.CharField(max_length=34, blank=True)
    round = models.PositiveIntegerField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField(default=timezone.now, help_text="When we chose the name.")
    checked_at = models.DateTimeField(null=True, blank=True, help_text="Last compared with Twilio.")

    class Meta:
        ordering = ["call", "round"]
        indexes = [
            models.Index(fields=["checked_at"], condition=Q(ended_at__isnull=True), name="conference_open")
        ]

    def __str__(self) -> str:
        return self.name


class Participant(models.Model):
    """One leg in one conference. `muted` and `held` follow the callback with the highest number."""

    conference = models.ForeignKey(Conference, on_delete=models.CASCADE, related_name="participants")
    leg = models.ForeignKey("calls.Leg", on_delete=models.CASCADE, related_name="seats")
    label = models.CharField(max_length=128, blank=True)
    joined_at = models.DateTimeField(null=True, blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    muted = models.BooleanField(default=False)
    muted_sequence = models.IntegerField(default=-1)
    held = models.BooleanField(default=False)
    held_sequence = models.IntegerField(default=-1)

    class Meta:
        ordering = ["joined_at", "id"]
        indexes = [
            models.Index(
                fields=["conference"],
                condition=Q(joined_at__isnull=False, left_at__isnull=True),
                name="participant_sitting",
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["conference", "leg"], name="participant_once_a_conference")
        ]

    def __str__(self) -> str:
        return f"{self.label or self.leg_id} in {self.conference_id}"

    def is_in(self) -> bool:
        """Whether the leg is in the room now."""
        return self.joined_at is not None and self.left_at is None
