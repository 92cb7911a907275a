"""/healthz: the process answers. /readyz: it can do its work, part by part; 503 when it should get none."""

import asyncio
import uuid
from collections.abc import Callable
from datetime import timedelta

from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from contactcenter.draining import draining
from contactcenter.worker import PREFIX
from streams.models import Process

__all__ = ["healthz", "layer", "readyz", "rows"]

LAYER_SECONDS = 1.0
WORKER_SECONDS = 20
_migrated = False  # a database does not become older under a running process


async def healthz(request: HttpRequest) -> HttpResponse:
    """200 while the event loop turns; touches nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


async def readyz(request: HttpRequest) -> JsonResponse:
    """{"ready": bool, "parts": {part: "ok" | what is wrong}}, 200 or 503."""
    parts = await sync_to_async(rows)()
    parts["layer"] = await layer()
    parts["serving"] = "draining" if draining.is_set() else "ok"
    is_ready = all(state == "ok" for state in parts.values())
    answer = JsonResponse({"ready": is_ready, "parts": parts}, status=200 if is_ready else 503)
    answer._has_been_logged = True  # type: ignore[attr-defined]  # Django would log each 503 as an error
    return answer


def rows() -> dict[str, str]:
    """What the database can say, part by part: ok, or what is wrong. Never raises."""
    looks: dict[str, Callable[[], str]] = {
        "database": _database,
        "migrations": _migrations,
        "worker": _worker,
    }
    return {part: _told(look) for part, look in looks.items()}


def _told(look: Callable[[], str]) -> str:
    try:
        return look()
    except Exception as error:  # the database is away: say so, do not fail
        return f"not reachable ({type(error).__name__})"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return "ok"


def _migrations() -> str:
    global _migrated
    if not _migrated:
        executor = MigrationExecutor(connection)
        _migrated = not executor.migration_plan(executor.loader.graph.leaf_nodes())
    return "ok" if _migrated else "pending: manage.py migrate"


def _worker() -> str:
    since = timezone.now() - timedelta(seconds=WORKER_SECONDS)
    alive = Process.objects.filter(pk__startswith=PREFIX, seen_at__gte=since).exists()
    return "ok" if alive else "no worker: manage.py worker"


async def layer() -> str:
    """One message round the channel layer: ok, or what is wrong. Never raises."""
    if not settings.REDIS_URL:
        return "ok"
    try:
        async with asyncio.timeout(LAYER_SECONDS):
            return await _round_trip()
    except Exception as error:
        return f"not reachable ({type(error).__name__})"


async def _round_trip() -> str:
    channels = get_channel_layer()
    assert channels is not None, "REDIS_URL sets a layer"
    channel = await channels.new_channel()
    token = uuid.uuid4().hex
    await channels.send(channel, {"type": "ready", "token": token})
    answer = await channels.receive(channel)
    return "ok" if answer.get("token") == token else "answers wrongly"
