"""Voices that answer: what each says and knows, what it may do, and how quickly it answered."""

from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

__all__ = ["Action", "Turn", "Voice", "VoiceTable"]

_NAME = RegexValidator(r"\A[a-z][a-z0-9_]{0,39}\Z", "Small letters, digits and _, beginning with a letter.")


class Voice(models.Model):
    """Configuration of a voice; what speaks is in `streams`. `kind` names one of its registry."""

    FLOW, REALTIME, ECHO = "flow", "realtime", "echo"
    KINDS = {FLOW: "Self-service flow", REALTIME: "AI agent (OpenAI Realtime)", ECHO: "Echo, for tests"}

    name = models.CharField(max_length=80, unique=True, help_text="As people see it, such as Self-service.")
    kind = models.CharField(max_length=40, default=FLOW, help_text="Who speaks.")
    text = models.TextField(
        blank=True, max_length=100_000, help_text="The flow, or what an AI agent is told to be and to do."
    )
    settings = models.JSONField(default=dict, blank=True, help_text="Of this kind, such as model and voice.")
    language = models.CharField(max_length=10, default="en-GB")
    queue = models.ForeignKey(
        "calls.Queue",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="Where callers go when the voice is lost for good. Empty: they hear an apology.",
    )
    hours = models.ForeignKey(
        "calls.Hours",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="What a flow asks about with `open`. Empty: those of the number.",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class VoiceTable(models.Model):
    """Rows that a flow looks things up in, such as orders and where they are."""

    voice = models.ForeignKey(Voice, on_delete=models.CASCADE, related_name="tables")
    name = models.CharField(max_length=40, validators=[_NAME])
    text = models.TextField(
        max_length=1_000_000, help_text="CSV with a line of headings; the first column is looked up."
    )

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["voice", "name"], name="voice_table_once")]

    def __str__(self) -> str:
        return self.name


class Action(models.Model):
    """Something that a voice may do, by its name; where it leads is set here and nowhere else."""

    class Kind(models.TextChoices):
        QUEUE = "queue", "Hand over to a queue"
        PHONE = "phone", "Connect with a telephone"
        VOICEMAIL = "voicemail", "Take a message"
        CALLBACK = "callback", "Promise to call back"
        END = "end", "End the call"

    voice = models.ForeignKey(Voice, on_delete=models.CASCADE, related_name="actions")
    name = models.CharField(max_length=40, validators=[_NAME], help_text="As flow or agent says it.")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    queue = models.ForeignKey(
        "calls.Queue",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="For a queue, a message and a call back.",
    )
    phone = models.CharField(max_length=16, blank=True, help_text="For a telephone, E.164.")
    description = models.CharField(
        max_length=300, blank=True, help_text="Told to an AI agent: when to do it."
    )

    class Meta:
        ordering = ["voice", "name"]
        constraints = [
            models.UniqueConstraint(fields=["voice", "name"], name="voice_action_once"),
            models.CheckConstraint(
                condition=~Q(kind="phone") | ~Q(phone=""), name="voice_action_phone_has_number"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Turn(models.Model):
    """One turn of a voice: the caller had spoken, and the voice answered."""

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="turns")
    stream_sid = models.CharField(max_length=34)
    number = models.PositiveIntegerField(help_text="Counts the turns of the stream from 1.")
    spoken_ms = models.PositiveIntegerField(help_text="Call time at which the caller had said it.")
    gap_ms = models.PositiveIntegerField(help_text="From there to the first sound of the answer.")

    class Meta:
        ordering = ["spoken_ms", "id"]
        constraints = [models.UniqueConstraint(fields=["stream_sid", "number"], name="voice_turn_once")]

    def __str__(self) -> str:
        return f"{self.gap_ms} ms"

    def as_message(self) -> dict[str, Any]:
        """The turn as browsers get it."""
        return {
            "turn": f"{self.stream_sid}/{self.number}",
            "call": self.call_id,
            "spoken_ms": self.spoken_ms,
            "gap_ms": self.gap_ms,
        }
