"""People who call."""

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Contact(models.Model):
    """A caller that we know by name, matched by E.164 number."""

    name = models.CharField(max_length=120)
    e164 = models.CharField("number", max_length=16, blank=True)
    company = models.CharField(max_length=120, blank=True)
    tags = models.CharField(max_length=200, blank=True, help_text="Words with commas between them.")
    note = models.TextField(blank=True, max_length=4000)
    code = models.CharField(
        max_length=256, blank=True, editable=False, help_text="Verification code, hashed like a password."
    )
    born_on = models.DateField("date of birth", null=True, blank=True, help_text="For verification.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["e164"], condition=~Q(e164=""), name="contact_e164_once")
        ]

    def __str__(self) -> str:
        return self.name


class Matter(models.Model):
    """Something that is open with a contact, such as a repair that is awaited."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="matters")
    text = models.CharField(max_length=200)
    call = models.ForeignKey("calls.Call", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.ForeignKey(
        "calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        "calls.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-opened_at", "-id"]

    def __str__(self) -> str:
        return self.text
