"""What agents write down: notes, wrap-ups, promises to call back; and the messages that callers leave."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Note(models.Model):
    """What one person noted on one call, saved as they type."""

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="notes")
    by = models.ForeignKey("calls.User", on_delete=models.SET_NULL, null=True, related_name="+")
    text = models.TextField(blank=True, max_length=8000)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["updated_at", "id"]
        constraints = [models.UniqueConstraint(fields=["call", "by"], name="note_one_per_call_and_person")]

    def __str__(self) -> str:
        return f"Note on call {self.call_id}"


class WrapUp(models.Model):
    """The time after a call in which its agent writes down what became of it."""

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="wrapups")
    agent = models.ForeignKey("calls.Agent", on_delete=models.CASCADE, related_name="wrapups")
    queue = models.ForeignKey("calls.Queue", on_delete=models.SET_NULL, null=True, blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(
        max_length=60, blank=True, help_text="The queue's word for it, as it was then."
    )

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["agent"], condition=Q(closed_at__isnull=True), name="wrapup_one_open_per_agent"
            )
        ]

    def __str__(self) -> str:
        return f"Wrap-up of call {self.call_id}"


class CallbackQuerySet(models.QuerySet["Callback"]):
    def open(self) -> "CallbackQuerySet":
        """Those still to be made."""
        return self.filter(state="open")


class Callback(models.Model):
    """A promise to call somebody back: asked for while waiting (the place is kept), or by an agent."""

    class State(models.TextChoices):
        OPEN = "open", "To be called"
        DONE = "done", "Called"
        CANCELLED = "cancelled", "Cancelled"

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="callbacks")
    e164 = models.CharField("number", max_length=16)
    queue = models.ForeignKey("calls.Queue", on_delete=models.SET_NULL, null=True, blank=True)
    agent = models.ForeignKey(
        "calls.Agent", on_delete=models.SET_NULL, null=True, blank=True, help_text="Only by this agent."
    )
    priority = models.SmallIntegerField(default=0)
    place_at = models.DateTimeField(help_text="The place in the queue: when the caller began to wait.")
    due_at = models.DateTimeField(help_text="Not before.")
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=9, choices=State.choices, default=State.OPEN)
    tries = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = CallbackQuerySet.as_manager()

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="open"), name="callback_open"),
            models.Index(fields=["e164"], name="callback_by_number"),
        ]

    def __str__(self) -> str:
        return f"Callback {self.pk}"


class Voicemail(models.Model):
    """A message that a caller left; the sound is a recording at Twilio."""

    call = models.ForeignKey("calls.Call", on_delete=models.CASCADE, related_name="voicemails")
    queue = models.ForeignKey("calls.Queue", on_delete=models.SET_NULL, null=True, blank=True)
    recording_sid = models.CharField(max_length=34, unique=True)
    seconds = models.PositiveIntegerField(default=0)
    ready = models.BooleanField(default=False, help_text="Twilio has finished the recording.")
    created_at = models.DateTimeField(default=timezone.now)
    heard_at = models.DateTimeField(null=True, blank=True)
    heard_by = models.ForeignKey(
        "calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["call"], condition=Q(heard_at__isnull=True), name="voicemail_unheard")
        ]

    def __str__(self) -> str:
        return f"Message on call {self.call_id}"
