"""The contact centre and all that we tell Twilio."""

from importlib import import_module

from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = "Contact centre"

    def ready(self) -> None:
        """Register the system checks and the admin's pages."""
        from calls import checks  # noqa: F401

        for noun in (
            "alerts",
            "audit",
            "calls",
            "contacts",
            "desk",
            "dialling",
            "hours",
            "numbers",
            "people",
            "queues",
            "voices",
        ):  # a package: autodiscover reads its __init__ only
            import_module(f"calls.admin.{noun}")
