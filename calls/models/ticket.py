"""The permission for one media socket of a leg. It bears Twilio's limits, which are per leg."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Ticket(models.Model):
    """A one-use 128-bit nonce in the path of a stream's address, valid 60 s, bound to account and leg."""

    class Kind(models.TextChoices):
        TAP = "tap", "Unidirectional"
        VOICE = "voice", "Bidirectional"

    class Origin(models.TextChoices):
        TWIML = "twiml", "Number's TwiML"
        REST = "rest", "Started by REST"
        INGEST = "ingest", "Opened elsewhere"

    nonce = models.CharField(max_length=32, unique=True, help_text="128 bits, hexadecimal.")
    leg = models.ForeignKey("calls.Leg", on_delete=models.CASCADE, related_name="tickets")
    kind = models.CharField(max_length=5, choices=Kind.choices, default=Kind.TAP)
    origin = models.CharField(max_length=6, choices=Origin.choices, default=Origin.TWIML)
    ingest_key = models.ForeignKey("calls.IngestKey", on_delete=models.SET_NULL, null=True, blank=True)
    name = models.CharField(max_length=64, help_text="Twilio's stream name, unique per call while in use.")
    track = models.CharField(max_length=16, default="both_tracks", help_text="As TwiML says it.")
    parameters = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True, blank=True)
    released_at = models.DateTimeField(null=True, blank=True)
    reopens = models.OneToOneField(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="reopened_by",
        help_text="The lost tap that this one takes the place of; each is reopened once.",
    )
    asked_by = models.ForeignKey(
        "calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    stopped_by = models.ForeignKey(
        "calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(spent_at__isnull=True, released_at__isnull=True),
                name="ticket_unspent",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["leg", "name"], condition=Q(released_at__isnull=True), name="ticket_name_once_per_leg"
            ),
            models.UniqueConstraint(
                fields=["leg"],
                condition=Q(released_at__isnull=True, kind="voice"),
                name="ticket_one_voice_per_leg",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.track})"

    def track_count(self) -> int:
        """How many of the leg's four tracks it takes (both_tracks counts two)."""
        return 2 if self.track == "both_tracks" else 1
