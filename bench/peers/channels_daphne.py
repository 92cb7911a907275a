"""The stock way: a Channels consumer on Daphne that decodes each message and computes its level, no more."""

import audioop
import base64
import json
import math

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter
from django.conf import settings

if not settings.configured:
    settings.configure(
        SECRET_KEY="of a benchmark",  # noqa: S106
        CHANNEL_LAYERS={"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}},
    )
    django.setup()


class Consumer(AsyncWebsocketConsumer):
    """What most Channels projects write for a media stream."""

    level = -96.0

    async def connect(self) -> None:
        await self.accept()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        message = json.loads(text_data or "{}")
        if message["event"] == "media":
            sound = audioop.ulaw2lin(base64.b64decode(message["media"]["payload"]), 2)
            self.level = 20 * math.log10(max(1, audioop.rms(sound, 2)) / 32768)


application = ProtocolTypeRouter({"websocket": Consumer.as_asgi()})
