"""Opening hours that numbers share: the week, and the days that are not like their weekday."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils import timezone

from calls.models import Holiday, Hours, OpeningTime
from calls.selectors.numbers import opening

_SHOWN = timedelta(days=31)
_SPANS, _HOLIDAYS = 21, 25  # a page of more fields than DATA_UPLOAD_MAX_NUMBER_FIELDS could not be saved


class OpeningTimeForm(forms.ModelForm):  # type: ignore[type-arg]
    """One span of one weekday."""

    class Meta:
        model = OpeningTime
        fields = ["weekday", "opens", "closes"]

    def clean(self) -> dict[str, Any]:
        """It ends on the day it begins."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not _forward(data.get("opens"), data.get("closes")):
            self.add_error("closes", "It closes later than it opens. 00:00 stands for the end of the day.")
        return data


def _forward(opens: Any, closes: Any) -> bool:
    if opens is None or closes is None:
        return True
    return bool(opens < closes) or (closes.hour, closes.minute, closes.second) == (0, 0, 0)


class OpeningTimes(BaseInlineFormSet):  # type: ignore[type-arg]
    """The spans of a week; no two of a day overlap."""

    def clean(self) -> None:
        """Look at each day by itself."""
        super().clean()
        days: dict[int, list[OpeningTime]] = defaultdict(list)
        for form in self.forms:
            data = getattr(form, "cleaned_data", {})
            if data.get("opens") and data.get("closes") and not data.get("DELETE") and not form.errors:
                days[data["weekday"]].append(form.instance)
        for spans in days.values():
            spans.sort(key=lambda span: span.opens)
            for first, second in pairwise(spans):
                if first.closes > second.opens or (first.closes.hour, first.closes.minute) == (0, 0):
                    raise forms.ValidationError(f"{first} and {second} overlap.")


class HolidayForm(forms.ModelForm):  # type: ignore[type-arg]
    """A day that is closed, or open for one span."""

    class Meta:
        model = Holiday
        fields = ["day", "name", "opens", "closes"]

    def clean(self) -> dict[str, Any]:
        """Both times or none."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        opens, closes = data.get("opens"), data.get("closes")
        if (opens is None) != (closes is None) and not {"opens", "closes"} & set(self.errors):
            self.add_error("closes", "Give both times, or neither if it is closed all day.")
        elif not _forward(opens, closes):
            self.add_error("closes", "It closes later than it opens. 00:00 stands for the end of the day.")
        return data


class OpeningTimeInline(admin.TabularInline):  # type: ignore[type-arg]
    model = OpeningTime
    form = OpeningTimeForm
    formset = OpeningTimes
    extra = 1
    max_num = _SPANS
    verbose_name_plural = "opening times"


class HolidayInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Holiday
    form = HolidayForm
    extra = 1
    max_num = _HOLIDAYS
    verbose_name_plural = "holidays (those of the last month and to come)"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Holiday]:
        return super().get_queryset(request).filter(day__gte=_since())


def _since() -> date:
    return timezone.now().date() - _SHOWN


@admin.register(Hours)
class HoursAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "time_zone", "week", "open_now", "next_opening", "next_holiday", "its_numbers"]
    list_filter = ["time_zone"]
    search_fields = ["name", "numbers__label"]
    inlines = [OpeningTimeInline, HolidayInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hours]:
        return super().get_queryset(request).prefetch_related("times", "holidays", "numbers")

    @admin.display(description="week")
    def week(self, hours: Hours) -> str:
        return ", ".join(str(span) for span in hours.times.all()) or "Closed all week"

    @admin.display(description="open now", boolean=True)
    def open_now(self, hours: Hours) -> bool:
        return opening(hours, now=timezone.now()).is_open

    @admin.display(description="next opening")
    def next_opening(self, hours: Hours) -> str:
        """In the zone of the hours; of those that are open now, the one after they have closed."""
        state = opening(hours, now=timezone.now())
        opens = opening(hours, now=state.until).until if state.is_open and state.until else state.until
        return f"{opens:%A %d %B, %H:%M}" if opens else "—"

    @admin.display(description="next holiday")
    def next_holiday(self, hours: Hours) -> str:
        today = timezone.now().date()
        return next((str(holiday) for holiday in hours.holidays.all() if holiday.day >= today), "—")

    @admin.display(description="numbers")
    def its_numbers(self, hours: Hours) -> str:
        return ", ".join(number.label for number in hours.numbers.all()) or "—"
