"""A cork for all sockets: what is written waits while it is in, then goes out in one write per socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Bottle(Protocol):
    """Something that writes."""

    def flush(self) -> None:
        """Write what waits."""
        ...


class Cork:
    """`is_in` tells whoever writes to wait, after putting itself among those `waiting`."""

    def __init__(self) -> None:
        self.is_in = False
        self.waiting: list[Bottle] = []

    @contextmanager
    def put_in(self) -> Iterator[None]:
        """Keep back what is written in this block until its end."""
        self.is_in = True
        try:
            yield
        finally:
            self.is_in = False
            waiting, self.waiting = self.waiting, []
            for bottle in waiting:
                bottle.flush()
