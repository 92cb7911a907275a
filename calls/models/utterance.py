"""What was said: one final line of one speaker."""

from typing import Any

from django.db import models


class Utterance(models.Model):
    """A final line. It belongs to the call and names its stream and track; a partial one is never stored."""

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="utterances")
    stream_sid = models.CharField(max_length=34)
    track = models.CharField(max_length=8)
    number = models.PositiveIntegerField(help_text="Counts the lines of this stream and track from 1.")
    speaker = models.CharField(max_length=8, help_text="caller, agent, voice or other.")
    start_ms = models.PositiveIntegerField(help_text="Call time.")
    end_ms = models.PositiveIntegerField()
    text = models.TextField()
    confidence = models.FloatField(null=True, blank=True)
    words = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["start_ms", "id"]
        constraints = [
            models.UniqueConstraint(fields=["stream_sid", "track", "number"], name="utterance_once"),
        ]
        indexes = [models.Index(fields=["call", "start_ms"])]

    def __str__(self) -> str:
        return f"{self.speaker} at {self.start_ms} ms"

    def as_message(self) -> dict[str, Any]:
        """The line as browsers get it; `utterance` is the key that its partial lines carry too."""
        return {
            "utterance": f"{self.stream_sid}/{self.track}/{self.number}",
            "call": self.call_id,
            "stream": self.stream_sid,
            "track": self.track,
            "speaker": self.speaker,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "text": self.text,
            "confidence": self.confidence,
        }
