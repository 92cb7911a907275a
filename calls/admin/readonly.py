"""Rows that services write and people only read."""

from typing import Any

from django.contrib.admin.options import BaseModelAdmin
from django.http import HttpRequest

__all__ = ["ReadOnly"]


class ReadOnly(BaseModelAdmin):  # type: ignore[type-arg]
    """Neither added nor changed nor deleted by hand: the truth comes from Twilio."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
