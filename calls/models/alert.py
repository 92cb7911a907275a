"""What supervisors must not miss: rules that they keep, and what the rules found."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone

from calls.models.queue import seconds
from calls.stamp import iso

__all__ = ["Alert", "AlertRule"]


class AlertRule(models.Model):
    """One thing to look out for, in every queue or in one. Judged by calls.rules."""

    class Kind(models.TextChoices):
        WORDS = "words", "A word or phrase is said"
        SILENCE = "silence", "Nobody speaks for longer than"
        LEVEL = "level", "Louder than"
        CLIPPING = "clipping", "The sound is clipped"
        OVERTALK = "overtalk", "Both talk at once for longer than"
        LENGTH = "length", "The call lasts longer than"
        STREAM_LOST = "stream_lost", "No stream for longer than"
        HELP = "help", "The agent asks for help"

    class Severity(models.TextChoices):
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    class Speaker(models.TextChoices):
        ANYBODY = "", "Anybody"
        CALLER = "caller", "The caller"
        AGENT = "agent", "The agent"

    name = models.CharField(max_length=80, help_text="As supervisors read it, such as “Wants to cancel”.")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.WORDS)
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.WARNING)
    queue = models.ForeignKey(
        "calls.Queue",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="alert_rules",
        help_text="Empty: calls of every queue, and of none.",
    )
    words = models.TextField(
        blank=True, max_length=2000, help_text="One word or phrase a line; whole words, any case."
    )
    speaker = models.CharField(max_length=6, choices=Speaker.choices, default=Speaker.ANYBODY, blank=True)
    seconds = models.PositiveIntegerField(null=True, blank=True, validators=seconds(1, 14400))
    dbfs = models.FloatField(
        "level (dBFS)",
        null=True,
        blank=True,
        validators=[MinValueValidator(-60), MaxValueValidator(0)],
        help_text="Over one second; −10 is a shout on most lines, 0 is full scale.",
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class AlertQuerySet(models.QuerySet["Alert"]):
    def open(self) -> "AlertQuerySet":
        """Those that nobody has acknowledged."""
        return self.filter(acknowledged_at__isnull=True)


class Alert(models.Model):
    """One finding of one rule in one call; `key` says which, so that a repeat is one."""

    rule = models.ForeignKey(AlertRule, on_delete=models.SET_NULL, null=True, related_name="alerts")
    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="alerts")
    key = models.CharField(max_length=100)
    kind = models.CharField(max_length=12, choices=AlertRule.Kind.choices)
    name = models.CharField(max_length=80, help_text="The rule's name, as it was then.")
    severity = models.CharField(max_length=8, choices=AlertRule.Severity.choices)
    at = models.DateTimeField(default=timezone.now)
    at_ms = models.PositiveIntegerField(null=True, blank=True, help_text="Call time.")
    quote = models.CharField(max_length=300, blank=True, help_text="What was said, or the figure in words.")
    utterance = models.CharField(max_length=80, blank=True, help_text="The line's public key.")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        "calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    objects = AlertQuerySet.as_manager()
    SHOWN = ("acknowledged_by", "call__contact", "call__agent")  # what as_message needs

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [models.UniqueConstraint(fields=["rule", "call", "key"], name="alert_once")]
        indexes = [
            models.Index(fields=["-at"], condition=models.Q(acknowledged_at__isnull=True), name="alert_open"),
            # retention asks in these words; what has been forgotten is in it no longer
            models.Index(fields=["at"], condition=~models.Q(quote="", utterance=""), name="alert_quoting"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} on call {self.call_id}"

    def as_message(self) -> dict[str, Any]:
        """The alert's present state as browsers get it; needs SHOWN.

        Of its call what a wall tells of it after it has lost sight of the call.
        """
        by, call = self.acknowledged_by, self.call
        return {
            "alert": self.pk,
            "call": self.call_id,
            "caller": call.display_caller(),
            "agent": call.agent.name if call.agent else "",
            "queue_id": call.queue_id,
            "team": call.team_id,
            "ended": call.ended_at is not None,
            "kind": self.kind,
            "name": self.name,
            "severity": self.severity,
            "raised_at": iso(self.at),
            "at_ms": self.at_ms,
            "quote": self.quote,
            "utterance": self.utterance,
            "acknowledged_at": iso(self.acknowledged_at) if self.acknowledged_at else None,
            "acknowledged_by": by.shown() if by else "",
        }
