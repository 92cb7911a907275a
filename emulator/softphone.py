"""Browsers that answer as `client:<identity>`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.party import Party

if TYPE_CHECKING:
    from emulator.exchange import Exchange


class Softphones:
    """Which identities have a browser."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def party(self, to: str) -> Party | None:
        """The browser that answers at `to`; None when a script shall."""
        return None
