"""A call is one conversation; a leg is one Twilio call in it."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone

from calls import path
from calls.stamp import iso


class CallState(models.TextChoices):
    RINGING = "ringing", "Ringing"
    LIVE = "live", "In progress"
    ENDED = "ended", "Ended"


class CallQuerySet(models.QuerySet["Call"]):
    def live(self) -> "CallQuerySet":
        """Calls that have not ended."""
        return self.exclude(state=CallState.ENDED)


class Call(models.Model):
    """One conversation, with an id of its own. Only services write it."""

    State = CallState
    INBOUND, OUTBOUND = "inbound", "outbound"

    class Verified(models.TextChoices):
        NOT_ASKED = "", "Not asked"
        YES = "yes", "Verified"
        NO = "no", "Not verified"
        UNKNOWN = "unknown", "Nothing to compare with"
        SKIPPED = "skipped", "Entered nothing"

    class Outcome(models.TextChoices):
        NONE = "", "—"
        ANSWERED = "answered", "Answered"
        MISSED = "missed", "Not answered"
        FAILED = "failed", "Failed"

    number = models.ForeignKey(
        "calls.PhoneNumber", on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    contact = models.ForeignKey(
        "calls.Contact", on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    agent = models.ForeignKey(
        "calls.Agent", on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    queue = models.ForeignKey(
        "calls.Queue", on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    team = models.ForeignKey(
        "calls.Team", on_delete=models.SET_NULL, null=True, blank=True, related_name="calls"
    )
    voice = models.ForeignKey(
        "calls.Voice",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="calls",
        help_text="That spoke with the caller last.",
    )
    caller = models.CharField(max_length=255, blank=True, help_text="As Twilio gave it, cleaned.")
    caller_name = models.CharField(max_length=120, blank=True)
    direction = models.CharField(max_length=16, default="inbound")
    region = models.CharField(max_length=3, default="us1")
    state = models.CharField(max_length=8, choices=CallState.choices, default=CallState.RINGING)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, default=Outcome.NONE, blank=True)
    tap_wanted = models.BooleanField(
        default=True, help_text="A lost stream is opened again; false once a person stopped it."
    )
    dials = models.BooleanField(
        default=False, help_text="Our TwiML dials somebody: answered when they answer, not before."
    )
    words_wanted = models.BooleanField(default=True)
    record_allowed = models.BooleanField(
        default=False, help_text="The number records and the consent was played."
    )
    started_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    plan = models.JSONField(
        default=dict,
        blank=True,
        help_text="What the caller meets next, by calls.path; only services write it.",
    )
    rounds = models.PositiveIntegerField(default=0, help_text="Conferences so far; the name holds it.")
    verified = models.CharField(
        max_length=8, choices=Verified.choices, default=Verified.NOT_ASKED, blank=True
    )
    wrong_answers = models.PositiveSmallIntegerField(
        default=0, help_text="Codes and dates of birth that were compared and not right."
    )
    facts = models.JSONField(default=dict, blank=True, help_text="What is known of the caller's wish.")
    help = models.CharField(max_length=200, blank=True, help_text="The agent asks for help, and why.")
    help_at = models.DateTimeField(null=True, blank=True)
    figures = models.JSONField(default=dict, blank=True)

    objects = CallQuerySet.as_manager()

    class Meta:
        ordering = ["-started_at", "-id"]
        indexes = [
            models.Index(fields=["state", "-started_at"]),
            models.Index(fields=["caller", "-started_at"], name="call_by_caller"),
            models.Index(fields=["ended_at"], name="call_by_end"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=(Q(state="ended") & Q(ended_at__isnull=False))
                | (~Q(state="ended") & Q(ended_at__isnull=True)),
                name="call_ended_with_its_time",
            )
        ]

    def __str__(self) -> str:
        return f"Call {self.pk}"

    def display_caller(self) -> str:
        """What people read: the contact, the name from the network, the number, else Withheld."""
        if self.contact:
            return self.contact.name
        return self.caller_name or self.caller or "Withheld"

    def speaking(self) -> str:
        """The name of the voice that speaks with the caller by the plan, or nothing."""
        return self.voice.name if self.voice and path.speaks(self.plan, self.voice_id) else ""

    def as_message(self) -> dict[str, Any]:
        """The call's present state as browsers get it; needs what it names."""
        return {
            "call": self.pk,
            "state": self.state,
            "outcome": self.outcome,
            "caller": self.display_caller(),
            "caller_number": self.caller,
            "number": self.number.e164 if self.number else "",
            "label": self.number.label if self.number else "",
            "agent": self.agent.name if self.agent else "",
            "voice": self.speaking(),
            "queue": self.queue.name if self.queue else "",
            "team": self.team_id,
            "verified": self.verified,
            "help": self.help,
            "direction": self.direction,
            "tap_wanted": self.tap_wanted,
            "started_at": iso(self.started_at),
            "answered_at": iso(self.answered_at) if self.answered_at else None,
            "ended_at": iso(self.ended_at) if self.ended_at else None,
        }


class Leg(models.Model):
    """One Twilio call. `status` is Twilio's own word and never goes back (calls.lattice)."""

    class Kind(models.TextChoices):
        CALLER = "caller", "Caller"
        AGENT = "agent", "Agent"
        OUTSIDE = "outside", "Outside number"
        PERSON = "person", "Person called"
        SUPERVISOR = "supervisor", "Supervisor"

    sid = models.CharField(max_length=34, unique=True)
    call = models.ForeignKey(Call, on_delete=models.CASCADE, related_name="legs")
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, blank=True, related_name="children"
    )
    agent = models.ForeignKey(
        "calls.Agent", on_delete=models.SET_NULL, null=True, blank=True, related_name="legs"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.CALLER)
    status = models.CharField(max_length=16, default="queued")
    sequence = models.IntegerField(default=-1, help_text="SequenceNumber of the last callback applied.")
    started_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True, help_text="Last compared with Twilio by REST.")

    class Meta:
        ordering = ["started_at", "id"]

    def __str__(self) -> str:
        return self.sid

    def is_persons(self) -> bool:
        """Whether it is the leg of the person whose call it is: who called us, or whom we called."""
        return self.kind in (Leg.Kind.CALLER, Leg.Kind.PERSON)
