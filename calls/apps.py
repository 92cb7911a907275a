"""The contact centre and all that we tell Twilio."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    name = "calls"
    verbose_name = "Contact centre"
