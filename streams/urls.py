"""The HTTP address of streams: what Twilio tells of them. contactcenter.sockets has the media sockets."""

from django.urls import URLPattern, path

from streams.webhooks import stream_status

urlpatterns: list[URLPattern] = [
    path("twilio/stream-status/", stream_status, name="twilio-stream-status"),
]
