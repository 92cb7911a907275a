"""Lists of calls, and of what belongs to a call, show only what the person's scope sees."""

from typing import Any, ClassVar

from django.contrib.admin import RelatedFieldListFilter
from django.contrib.admin.options import BaseModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest

from calls.access import scope_of
from calls.selectors import teams

__all__ = ["NumberFilter", "Scoped"]


class Scoped(BaseModelAdmin):  # type: ignore[type-arg]
    """`call_path` leads from a row to its call, such as `leg__call__`; empty for calls themselves.

    What is not seen is not found either: object pages, buttons and actions begin with this queryset.
    """

    call_path: ClassVar[str] = ""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return scope_of(request.user).of(super().get_queryset(request), self.call_path)


class NumberFilter(RelatedFieldListFilter):
    """Offers the numbers that the person's scope sees."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[Any]:
        numbers = teams.numbers(scope_of(request.user))
        return [(str(number.pk), str(number)) for number in numbers]
