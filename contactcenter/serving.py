"""Serving: Daphne that drains, its checks before the start, and the worker and engine beside it."""

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from daphne.server import Server  # first: it installs Twisted's asyncio reactor
from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from twisted.internet import defer, reactor

from contactcenter import bounds, lifespan, lock
from contactcenter.children import Children
from contactcenter.draining import draining

__all__ = ["DrainingServer", "Refused", "Role", "serve"]

Role = Literal["all", "web", "media"]
_log = logging.getLogger("contactcenter.serving")
_access = logging.getLogger("contactcenter.access")
BACKLOG = 4096  # Twisted's own 50 makes a thousand simultaneous handshakes wait 14 s
MEDIA_SECONDS = 8.0  # how long open media streams may finish
CLOSING_SECONDS = 4.0  # then how long sockets have to write their rows, and requests to be answered
CANCEL_SECONDS = 3.0  # then how long what was cancelled has to end
RESTART = 4012
_QUIET = ("/healthz", "/readyz", "/metrics", "/static/")


class Refused(Exception):
    """Serving cannot start; the text says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """What was asked for on the command line."""

    role: Role
    host: str
    port: int


class DrainingServer(Server):  # type: ignore[misc]  # daphne has no types
    """Daphne, but going down in order.

    Stock Daphne cancels its applications on SIGTERM, so that no consumer hears of it, and goes on taking
    requests that nobody will answer. Here browser sockets are closed with 4012 at once, media sockets may
    finish, every consumer and request ends by itself, and only what then is left gets cancelled. The port
    stays open while sockets close, so that /readyz can say 503 and Twilio's last callbacks are taken.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._ports: list[Any] = []
        self._is_over = False

    def listen_success(self, port: Any) -> None:
        """Called by Daphne with each port that it listens on."""
        super().listen_success(port)
        self._ports.append(port)

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """The input queue of a new application; None for a request that comes over a kept line at the end."""
        if self._is_over and scope["type"] == "http":
            protocol.basic_error(503, b"Service Unavailable", "This process ends.")
            return None
        return super().create_application(protocol, scope)

    def kill_all_applications(self) -> Any:
        """Called by Twisted before shutdown; the Deferred is waited for."""
        draining.set()
        loop = reactor._asyncioEventloop
        done = defer.Deferred.fromFuture(asyncio.ensure_future(self._drain(), loop=loop))
        return done.addErrback(lambda failure: _log.error("serve.drain", extra={"error": failure.type}))

    async def _drain(self) -> None:
        self._close(media=False)
        await self._wait(MEDIA_SECONDS, media=True)
        self._close(media=True)
        await self._wait(CLOSING_SECONDS)
        await self._take_nothing_more()
        await self._wait(CLOSING_SECONDS)
        await _cancel(self._running())
        await lifespan.finish()
        # A view's thread waits for its part on this loop, and the process for the thread: none may be left.
        await _cancel(asyncio.all_tasks() - {asyncio.current_task()})

    async def _take_nothing_more(self) -> None:
        self._is_over = True
        await asyncio.gather(*(_stopped(port) for port in self._ports))

    def _close(self, *, media: bool) -> None:
        for protocol in list(self.connections):
            if hasattr(protocol, "serverClose") and _is_media(protocol) == media:
                protocol.serverClose(code=RESTART)

    async def _wait(self, seconds: float, *, media: bool | None = None) -> None:
        """Until nothing runs, what came meanwhile included; at most so long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (tasks := self._running(media=media)) and (left := end - loop.time()) > 0:
            await asyncio.wait(tasks, timeout=left)

    def _running(self, *, media: bool | None = None) -> list[Any]:
        return [
            details["application_instance"]
            for protocol, details in list(self.connections.items())
            if "application_instance" in details
            and not details["application_instance"].done()
            and (media is None or _is_media(protocol) == media)
        ]


async def _stopped(port: Any) -> None:
    if (stopping := port.stopListening()) is not None:
        await stopping.asFuture(asyncio.get_running_loop())


async def _cancel(tasks: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel them and let them end; one that does not within a few seconds is left behind, and told."""
    pending = list(tasks)
    for task in pending:
        task.cancel()
    if pending and (stuck := (await asyncio.wait(pending, timeout=CANCEL_SECONDS))[1]):
        _log.error("serve.stuck", extra={"tasks": len(stuck)})


def serve(*, role: Role, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises Refused before anything was started."""
    plan = Plan(role, host, port)
    _refuse_faults(role)
    _refuse_pending_migrations()
    try:
        lock.take()
    except lock.Held as error:
        raise Refused(str(error)) from None
    _refuse_taken_port(plan)
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # WhiteNoise warns of a missing one
    children = _children(plan)
    children.start()
    try:
        _run(plan)
    finally:
        children.stop()


def _refuse_faults(role: Role) -> None:
    """System checks of ours are errors when serving (docs/operation.md lists them)."""
    if role != "all" and not settings.REDIS_URL:
        raise Refused(
            f"cc.E003: --role {role} is one of several processes, and these need Redis: set REDIS_URL, or "
            "serve everything in one process with --role all."
        )
    faults = [fault for fault in run_checks(include_deployment_checks=True, tags=["cc"]) if fault.level >= 40]
    if faults:
        raise Refused("\n".join(_sentence(fault) for fault in faults))


def _sentence(fault: CheckMessage) -> str:
    return f"{fault.id}: {fault.msg} {fault.hint or ''}".rstrip()


def _refuse_pending_migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        raise Refused(f"The database cannot be used ({error}). Check DATABASE_URL.") from None
    if plan:
        raise Refused("The database is not up to date. Run: manage.py migrate")
    connection.close()


def _refuse_taken_port(plan: Plan) -> None:
    family = socket.AF_INET6 if ":" in plan.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((plan.host.strip("[]"), plan.port))
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be opened ({error.strerror})"
            raise Refused(f"Port {plan.port} on {plan.host} {why}. Choose another with --port.") from None


def _children(plan: Plan) -> Children:
    children = Children()
    if plan.role == "all":
        children.add("worker", [sys.executable, "manage.py", "worker", "--child"])
        if settings.TRANSCRIBER != "none":
            children.add("engine", engine_command())
    return children


def engine_command() -> list[str]:
    """The speech engine as a program of its own: it needs the journal and the models, no Django."""
    told = ["--journal", str(settings.JOURNAL_DIR), "--models", str(settings.SPEECH_MODEL_DIR)]
    return [sys.executable, "-m", "streams.engines.run", *told]


def _run(plan: Plan) -> None:
    from contactcenter.asgi import application

    host = plan.host.strip("[]").replace(":", r"\:")
    server: DrainingServer = DrainingServer(
        application=application,
        endpoints=[f"tcp:port={plan.port}:interface={host}:backlog={BACKLOG}"],
        action_logger=_log_access,
        websocket_timeout=-1,  # a wall stays open for days
        websocket_max_message_size=bounds.MESSAGE_BYTES,
        websocket_max_frame_size=bounds.MESSAGE_BYTES,
        server_name="",
        verbosity=0,
        ready_callable=lambda: _listening(server, plan),
    )
    server.run()
    if server.abort_start:
        raise Refused(f"Port {plan.port} on {plan.host} cannot be opened.")


def _listening(server: DrainingServer, plan: Plan) -> None:
    bounds.bound(server)
    _tell(plan)


def _tell(plan: Plan) -> None:
    host = f"[{plan.host}]" if ":" in plan.host else plan.host
    print(
        f"Serving {plan.role} on http://{host}:{plan.port}/ (public address {settings.PUBLIC_URL})",
        flush=True,
    )
    if plan.role == "all":
        print("Next: sign in there as an admin (manage.py createsuperuser makes one),", flush=True)
        print(
            "connect a number (manage.py connect +31…) and check the set-up (manage.py doctor).", flush=True
        )


def _is_media(protocol: Any) -> bool:
    path = getattr(protocol, "path", b"")
    return bytes(path).startswith(b"/media/")


def _log_access(protocol: str, action: str, details: dict[str, Any]) -> None:
    """Daphne's actions as our log lines; the formatter masks media addresses, and queries are cut."""
    path = str(details.get("path", "")).partition("?")[0]
    if protocol == "http" and action == "complete" and not path.startswith(_QUIET):
        _access.info("http", extra={"method": details["method"], "path": path, "status": details["status"]})
    elif protocol == "websocket" and action in {"connected", "disconnected", "rejected"}:
        _access.info(f"ws.{action}", extra={"path": path})
