"""The project itself as an app: it holds the commands and checks that drive both rooms."""

from django.apps import AppConfig


class ContactCenterConfig(AppConfig):
    name = "contactcenter"
    verbose_name = "Contact centre"

    def ready(self) -> None:
        """Register the system checks."""
        from contactcenter import checks  # noqa: F401
