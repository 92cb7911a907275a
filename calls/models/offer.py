"""A call offered to an agent: from ringing to the end of their part in it."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

OPEN = ("ringing", "accepted")


class Offer(models.Model):
    """One agent and one call. An agent has at most one that is ringing or accepted; a call one ringing."""

    class Kind(models.TextChoices):
        QUEUE = "queue", "From the queue"
        DIRECT = "direct", "For this agent"
        RESUME = "resume", "Their call, after the page was lost"
        CONSULT = "consult", "A colleague asks first"
        CALLBACK = "callback", "Call back"
        DIAL = "dial", "Dialled out"

    class State(models.TextChoices):
        RINGING = "ringing", "Ringing"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        MISSED = "missed", "Missed"
        WITHDRAWN = "withdrawn", "Withdrawn"
        ENDED = "ended", "Ended"

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="offers")
    agent = models.ForeignKey("calls.Agent", on_delete=models.CASCADE, related_name="offers")
    waiting = models.ForeignKey(
        "calls.Waiting", on_delete=models.SET_NULL, null=True, blank=True, related_name="offers"
    )
    callback = models.ForeignKey(
        "calls.Callback", on_delete=models.SET_NULL, null=True, blank=True, related_name="offers"
    )
    conference = models.ForeignKey(
        "calls.Conference", on_delete=models.SET_NULL, null=True, blank=True, related_name="offers"
    )
    kind = models.CharField(max_length=8, choices=Kind.choices, default=Kind.QUEUE)
    state = models.CharField(max_length=9, choices=State.choices, default=State.RINGING)
    reason = models.CharField(max_length=200, blank=True, help_text="What a colleague says about it.")
    leg_sid = models.CharField(max_length=34, blank=True, help_text="The agent's leg, once Twilio named it.")
    created_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(help_text="Rings until then.")
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    hung_up = models.BooleanField(
        default=False, help_text="The agent ended it on purpose; a leg that is lost otherwise is resumed."
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["state"], condition=Q(state__in=OPEN), name="offer_open"),
            models.Index(fields=["leg_sid"], name="offer_by_leg"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(state__in=OPEN), name="offer_one_open_per_agent"
            ),
            models.UniqueConstraint(
                fields=["call"], condition=Q(state="ringing"), name="offer_one_ringing_per_call"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, ended_at__isnull=True)
                | (~Q(state__in=OPEN) & Q(ended_at__isnull=False)),
                name="offer_ended_with_its_time",
            ),
        ]

    def __str__(self) -> str:
        return f"Offer {self.pk} {self.state}"

    def label(self) -> str:
        """The agent's label in the conference: unique there (Twilio errors 16025, 16026)."""
        return f"offer-{self.pk}"
