"""Queries of the media side, in threads of its own: no page, hub or other use of asgiref waits for them.

SQLite has one writer, and opening it costs more than a handshake's queries: one thread keeps it open. With
PostgreSQL there are several threads, and each query gives its connection back to the pool.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.db import Error as DatabaseAway
from django.db import connection

__all__ = ["Database"]

POSTGRES_THREADS = 4


class Database:
    """Call it with a function: it gives the function as a coroutine function."""

    def __init__(self) -> None:
        self._keeps = connection.vendor == "sqlite"
        threads = 1 if self._keeps else POSTGRES_THREADS
        self._threads = ThreadPoolExecutor(threads, "media-database")

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """The function, to be awaited; what it raises is raised."""

        async def call(*arguments: Any, **named: Any) -> Any:
            work = partial(self._run, function, *arguments, **named)
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)

        return call

    def stop(self) -> None:
        """Wait for what runs, close the connection."""
        self._threads.submit(connection.close)
        self._threads.shutdown(wait=True)

    def _run(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        try:
            return function(*arguments, **named)
        except DatabaseAway:
            connection.close()
            raise
        finally:
            if not self._keeps:
                connection.close()
