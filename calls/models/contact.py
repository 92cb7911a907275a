"""People who call."""

from django.db import models
from django.db.models import Q


class Contact(models.Model):
    """A caller that we know by name, matched by E.164 number."""

    name = models.CharField(max_length=120)
    e164 = models.CharField("number", max_length=16, blank=True)
    note = models.TextField(blank=True, max_length=4000)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["e164"], condition=~Q(e164=""), name="contact_e164_once")
        ]

    def __str__(self) -> str:
        return self.name
