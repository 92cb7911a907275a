"""The contact centre and all that we tell Twilio."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = "Contact centre"

    def ready(self) -> None:
        """Register the system checks."""
        from calls import checks  # noqa: F401
