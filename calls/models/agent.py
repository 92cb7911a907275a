"""Agents: who they are, what they chose, and what is true of them now."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q


class AgentQuerySet(models.QuerySet["Agent"]):
    def present(self, now: datetime) -> "AgentQuerySet":
        """Agents whose desk is open, by its own beats."""
        return self.filter(present_until__gt=now)


class Agent(models.Model):
    """One who answers calls: in the browser as `client:<identity>`, or on a telephone of their own.

    `status` is what the person (or a missed call) chose; whether they can be offered a call also depends on
    the desk's beats, the phone and what they are doing: `services.agents.state_of` tells.
    """

    class Status(models.TextChoices):
        OFFLINE = "offline", "Offline"
        READY = "ready", "Ready"
        AWAY = "away", "Away"

    class Phone(models.TextChoices):
        BROWSER = "browser", "In the browser"
        TELEPHONE = "telephone", "Own telephone"

    SUPERVISORS = "supervisor_"  # so begin the Voice identities of supervisors' pages, and of no agent's

    user = models.OneToOneField("calls.User", on_delete=models.CASCADE, related_name="agent")
    name = models.CharField(max_length=80, help_text="As supervisors and callers see it.")
    identity = models.CharField(
        max_length=80,
        unique=True,
        help_text="Voice identity of the browser phone: letters, digits and _ (Twilio error 31105).",
    )
    e164 = models.CharField("telephone", max_length=16, blank=True, help_text="Their own telephone, +31…")
    phone = models.CharField(max_length=9, choices=Phone.choices, default=Phone.BROWSER)
    phone_ok = models.BooleanField(default=False, help_text="The browser phone is registered at Twilio.")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OFFLINE)
    reason = models.CharField(max_length=40, blank=True, help_text="Why Away: lunch, missed, declined …")
    since = models.DateTimeField(null=True, blank=True, help_text="When the status was last changed.")
    idle_since = models.DateTimeField(
        null=True, blank=True, help_text="Free for a call since then: the longest idle gets the next one."
    )
    present_until = models.DateTimeField(
        null=True, blank=True, help_text="The desk has shown life; it is open until this moment."
    )
    absent_told = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="The end of a presence that was told of."
    )
    desk = models.CharField(max_length=36, blank=True, help_text="The one tab that is this agent's desk.")

    objects = AgentQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["e164"], condition=~Q(e164=""), name="agent_telephone_once")
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Who had a supervisor's identity would be called into what that one joins."""
        if self.is_as_supervisor():
            text = f"Identities that begin with {self.SUPERVISORS} are supervisors'."
            raise ValidationError({"identity": text})

    def is_as_supervisor(self) -> bool:
        """Whether the identity is one of those kept for supervisors."""
        return self.identity.startswith(self.SUPERVISORS)

    def is_present(self, now: datetime) -> bool:
        """Whether the desk is open."""
        return self.present_until is not None and self.present_until > now

    def address(self) -> str:
        """Where Twilio reaches them: `client:<identity>`, or their telephone."""
        return self.e164 if self.phone == Agent.Phone.TELEPHONE else f"client:{self.identity}"
