"""One Twilio media stream: its row, and the holes in it."""

from typing import Any

from django.db import models
from django.db.models import Q

from calls.stamp import iso

_SHARES = ("inbound_ms", "outbound_ms", "both_ms", "silent_ms")


def _shares(talk: dict[str, Any]) -> dict[str, int]:
    """Who talked for how long, of all that is kept of it."""
    return {name: int(talk.get(name, 0)) for name in _SHARES}


class StreamQuerySet(models.QuerySet["Stream"]):
    def open(self) -> "StreamQuerySet":
        """Streams whose socket has not been closed."""
        return self.filter(closed_at__isnull=True)


class Stream(models.Model):
    """A stream belongs to a leg and was let in by a ticket. Only streams.services.streams writes it."""

    class Reason(models.TextChoices):
        NONE = "", "Open"
        STOP = "stop", "Stopped by Twilio"
        CALL_ENDED = "call_ended", "Call ended"
        DROPPED = "dropped", "Connection lost"
        LEASE = "lease", "Our process ended"
        REFUSED = "refused", "Broke the protocol"
        SILENT = "silent", "Nothing received"
        DRAINED = "drained", "Server restarting"
        DONE = "done", "The voice was done"
        FAILED = "failed", "The voice failed"

    sid = models.CharField(max_length=34, unique=True)
    leg = models.ForeignKey("calls.Leg", on_delete=models.CASCADE, related_name="streams")
    # A ticket is not deleted under its stream, but with it when the call is (PROTECT would forbid that).
    ticket = models.OneToOneField("calls.Ticket", on_delete=models.RESTRICT, related_name="stream")
    process = models.ForeignKey("streams.Process", on_delete=models.SET_NULL, null=True, blank=True)
    tracks = models.JSONField(default=list, help_text='As start says it: ["inbound", "outbound"].')
    parameters = models.JSONField(default=dict, blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=12, choices=Reason.choices, default=Reason.NONE, blank=True)
    error = models.CharField(max_length=200, blank=True, help_text="Twilio's StreamError, in words.")
    frames = models.PositiveBigIntegerField(default=0)
    bytes = models.PositiveBigIntegerField(default=0)
    lost_ms = models.PositiveBigIntegerField(default=0)
    late = models.PositiveIntegerField(default=0)
    errors = models.PositiveIntegerField(default=0, help_text="Protocol errors, counted.")
    call_offset_ms = models.IntegerField(default=0, help_text="Call time at which the stream's time 0 lies.")
    last_ms = models.PositiveIntegerField(default=0, help_text="Stream time up to which we heard it.")
    paused = models.BooleanField(default=False, help_text="Nothing is kept or written down.")
    words = models.BooleanField(default=True, help_text="Written down, unless a person stopped that.")
    figures = models.JSONField(default=dict, blank=True, help_text="Sound and words in numbers, afterwards.")
    journal_state = models.CharField(
        max_length=8,
        default="live",
        choices=[("live", "Being written"), ("closed", "Waiting for words"), ("gone", "Deleted")],
    )

    objects = StreamQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(closed_at__isnull=True) & Q(close_reason=""))
                | (Q(closed_at__isnull=False) & ~Q(close_reason="")),
                name="stream_closed_with_its_reason",
            )
        ]
        indexes = [models.Index(fields=["closed_at", "journal_state"])]

    def __str__(self) -> str:
        return self.sid

    def call_ms(self, stream_ms: int) -> int:
        """Stream time → call time, in ms; the one conversion."""
        return max(0, self.call_offset_ms + stream_ms)

    def as_message(self) -> dict[str, Any]:
        """The stream's present state as browsers get it."""
        return {
            "stream": self.sid,
            "call": self.leg.call_id,
            "leg": self.leg.sid,
            "name": self.ticket.name,
            "kind": self.ticket.kind,
            "tracks": self.tracks,
            "state": "closed" if self.closed_at else "open",
            "reason": self.close_reason,
            "error": self.error,
            "opened_at": iso(self.opened_at),
            "closed_at": iso(self.closed_at) if self.closed_at else None,
            "parameters": self.parameters,
            "lost_ms": self.lost_ms,
            "late": self.late,
            "paused": self.paused,
            "words": self.words,
            "talk": self.figures.get("talk") and _shares(self.figures["talk"]),
        }


class Gap(models.Model):
    """A hole in one track: time that passed without sound reaching us."""

    class Cause(models.TextChoices):
        LOST = "lost", "Frames missing"
        CLOSED = "closed", "No stream was open"
        PAUSED = "paused", "Paused"

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="gaps")
    track = models.CharField(max_length=8)
    at_ms = models.PositiveIntegerField(help_text="Stream time.")
    ms = models.PositiveIntegerField()
    cause = models.CharField(max_length=8, choices=Cause.choices, default=Cause.LOST)

    class Meta:
        ordering = ["at_ms", "id"]
        constraints = [models.UniqueConstraint(fields=["stream", "track", "at_ms"], name="gap_once")]

    def __str__(self) -> str:
        return f"{self.track} {self.at_ms} ms, {self.ms} ms"

    def as_message(self) -> dict[str, Any]:
        """The gap as browsers get it, in call time."""
        return {
            "gap": str(self.pk),
            "stream": self.stream.sid,
            "call": self.stream.leg.call_id,
            "track": self.track,
            "start_ms": self.stream.call_ms(self.at_ms),
            "ms": self.ms,
            "cause": self.cause,
        }
