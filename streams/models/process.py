"""Processes that hold media sockets, and their leases."""

from django.db import models


class Process(models.Model):
    """One media process. It renews `seen_at` every 5 s; an expired lease declares its streams lost."""

    id = models.CharField(primary_key=True, max_length=40, help_text="Chosen at start: host, pid and chance.")
    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField(auto_now_add=True)
    seen_at = models.DateTimeField(db_index=True)
    draining = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "processes"

    def __str__(self) -> str:
        return self.id
