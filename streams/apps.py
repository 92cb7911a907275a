"""All that Twilio streams to us."""

from importlib import import_module

from django.apps import AppConfig


class StreamsConfig(AppConfig):
    name = "streams"
    verbose_name = "Media streams"

    def ready(self) -> None:
        """Register the checks, and what pages may ask of streams."""
        import_module("streams.checks")
        from calls.services import words
        from streams.services.words import switch

        words.connect(switch)
