"""What we asked Twilio to do, and the answers we gave it."""

import uuid
from typing import Any

from django.db import models
from django.utils import timezone


class Command(models.Model):
    """One intent: written before the one REST call, settled by its answer or by reading."""

    class Kind(models.TextChoices):
        START_STREAM = "stream.start", "Start stream"
        STOP_STREAM = "stream.stop", "Stop stream"
        HANGUP = "call.end", "End call"
        REDIRECT = "call.redirect", "Send the caller on"
        END_LEG = "leg.end", "End one leg"
        RING = "agent.ring", "Ring an agent"
        DIAL = "person.dial", "Dial a person"
        HOLD = "call.hold", "Hold"
        RESUME = "call.resume", "Resume"
        MUTE = "leg.mute", "Mute"
        UNMUTE = "leg.unmute", "Unmute"
        REMOVE = "leg.remove", "Take out of the conference"
        COACH = "call.coach", "Coach the agent"
        JOIN = "call.join", "Join the call"
        TAKEOVER = "call.takeover", "Take over from the voice"

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        SENT = "sent", "Sent"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        UNKNOWN = "unknown", "Unknown"

    id = models.UUIDField(
        primary_key=True, default=uuid.uuid4, help_text="Chosen by the client: a repeat is one."
    )
    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="commands")
    ticket = models.ForeignKey(
        "calls.Ticket", on_delete=models.SET_NULL, null=True, blank=True, related_name="commands"
    )
    kind = models.CharField(max_length=16, choices=Kind.choices)
    args = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey("calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    code = models.CharField(max_length=12, blank=True, help_text="Twilio's error code.")
    text = models.CharField(max_length=300, blank=True, help_text="What happened and what to do, in words.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "created_at"], name="command_by_state")]

    def __str__(self) -> str:
        return f"{self.kind} {self.state}"

    def as_message(self) -> dict[str, Any]:
        """The command's present state as browsers get it."""
        return {
            "command": str(self.pk),
            "call": self.call_id,
            "kind": self.kind,
            "state": self.state,
            "code": self.code,
            "text": self.text,
        }


class Reply(models.Model):
    """The TwiML that a request was answered with; a replay gets the same and causes nothing."""

    key = models.CharField(max_length=80, primary_key=True, help_text="First answer: the CallSid.")
    body = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name_plural = "replies"

    def __str__(self) -> str:
        return self.key
