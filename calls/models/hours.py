"""When a number is open: week, holidays, time zone. Whether it is open now decides calls.hours."""

from zoneinfo import available_timezones

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q


def valid_zone(name: str) -> None:
    """Raises ValidationError for what is no time zone such as Europe/Amsterdam."""
    if name not in available_timezones():
        raise ValidationError(f"{name} is no time zone. Write it like Europe/Amsterdam.")


class Hours(models.Model):
    """Opening hours that numbers share."""

    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=60, default="UTC", validators=[valid_zone])

    class Meta:
        ordering = ["name"]
        verbose_name = verbose_name_plural = "opening hours"

    def __str__(self) -> str:
        return self.name


class OpeningTime(models.Model):
    """One span of one weekday, in the local time of its hours; it ends the same day."""

    class Weekday(models.IntegerChoices):
        MONDAY = 0, "Monday"
        TUESDAY = 1, "Tuesday"
        WEDNESDAY = 2, "Wednesday"
        THURSDAY = 3, "Thursday"
        FRIDAY = 4, "Friday"
        SATURDAY = 5, "Saturday"
        SUNDAY = 6, "Sunday"

    hours = models.ForeignKey(Hours, on_delete=models.CASCADE, related_name="times")
    weekday = models.SmallIntegerField(choices=Weekday.choices)
    opens = models.TimeField()
    closes = models.TimeField(help_text="00:00 stands for the end of the day.")

    class Meta:
        ordering = ["weekday", "opens"]
        constraints = [
            models.CheckConstraint(
                condition=Q(opens__lt=F("closes")) | Q(closes="00:00"), name="opening_time_runs_forward"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_weekday_display()} {self.opens:%H:%M}–{self.closes:%H:%M}"


class Holiday(models.Model):
    """A day that is not as its weekday: closed, or open for one span."""

    hours = models.ForeignKey(Hours, on_delete=models.CASCADE, related_name="holidays")
    day = models.DateField()
    name = models.CharField(max_length=80)
    opens = models.TimeField(null=True, blank=True, help_text="Empty: closed all day.")
    closes = models.TimeField(null=True, blank=True)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.UniqueConstraint(fields=["hours", "day"], name="holiday_once_a_day"),
            models.CheckConstraint(
                condition=Q(opens__isnull=True, closes__isnull=True)
                | Q(opens__isnull=False, closes__isnull=False),
                name="holiday_opens_and_closes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}"
