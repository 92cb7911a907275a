"""People who sign in, and the agents among them."""

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """Our own user model from the first migration, so that it can grow."""

    class Meta:
        db_table = "calls_user"
        permissions = [
            ("view_wall", "May watch live calls and read what is said"),
            ("control_streams", "May start and stop streams on a live call"),
        ]


class Agent(models.Model):
    """One who answers calls: in the browser as `client:<identity>`, or on a telephone of their own."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="agent")
    name = models.CharField(max_length=80, help_text="As supervisors and callers see it.")
    identity = models.CharField(
        max_length=80,
        unique=True,
        help_text="Voice identity of the browser phone: letters, digits and _ (Twilio error 31105).",
    )
    e164 = models.CharField("telephone", max_length=16, blank=True, help_text="Their own telephone, +31…")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
