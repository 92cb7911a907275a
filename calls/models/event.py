"""What happened, numbered without holes in the order of commit; and who did what."""

from django.db import models


class Counter(models.Model):
    """One row: the id of the newest event. Taken last in a transaction (calls.events)."""

    value = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.value)


class Event(models.Model):
    """One change of one noun. `facts` never hold words, names or numbers: messages are made from the row."""

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=40, help_text="What happened, such as call.started.")
    call = models.ForeignKey(
        "calls.Call", on_delete=models.CASCADE, null=True, blank=True, related_name="events"
    )
    noun = models.CharField(max_length=16)
    key = models.CharField(max_length=80)
    by = models.ForeignKey("calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    facts = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["call", "id"])]

    def __str__(self) -> str:
        return f"{self.id} {self.kind}"


class AuditEvent(models.Model):
    """Who did what to what; append only."""

    at = models.DateTimeField(auto_now_add=True)
    who = models.ForeignKey("calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    what = models.CharField(max_length=60)
    on = models.CharField(max_length=120)
    ip = models.GenericIPAddressField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "audit entry"
        verbose_name_plural = "audit"

    def __str__(self) -> str:
        return f"{self.what} {self.on}"
