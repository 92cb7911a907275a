"""The contact centre's HTTP addresses: what Twilio calls."""

from django.urls import URLPattern, path, re_path

from calls.webhooks import status, voice

urlpatterns: list[URLPattern] = [
    path("twilio/voice/", voice.voice, name="twilio-voice"),
    path("twilio/fallback/", voice.fallback, name="twilio-fallback"),
    path("twilio/call-status/", status.call_status, name="twilio-call-status"),
    re_path(r"^twilio/next/(?P<turn>[0-9a-f]{32})/$", voice.next_turn, name="twilio-next"),
]
