"""Who belongs together: a supervisor sees the calls of their teams, and those that belong to no team."""

from django.db import models


class Team(models.Model):
    """Some queues and numbers, the supervisors who watch them and the agents who answer them."""

    name = models.CharField(max_length=80, unique=True)
    people = models.ManyToManyField(
        "calls.User", blank=True, related_name="teams", help_text="Supervisors and agents of this team."
    )

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
