"""The one ASGI application: HTTP to Django, WebSockets to contactcenter.sockets; any ASGI server runs it."""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contactcenter.settings")

from django.core.asgi import get_asgi_application

_http = get_asgi_application()  # loads the apps; what follows needs them

from contactcenter import lifespan, sockets  # noqa: E402


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """By type of connection. Lifespan is there for uvicorn; Daphne has none (contactcenter.serving)."""
    if scope["type"] == "websocket":
        await sockets.application(scope, receive, send)
    elif scope["type"] == "lifespan":
        await lifespan.run(receive, send)
    else:
        await _http(scope, receive, send)
