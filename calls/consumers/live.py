"""`/ws/live/`: everything about every live call."""

from calls.consumers.base import BrowserSocket

__all__ = ["LiveConsumer"]


class LiveConsumer(BrowserSocket):
    """The wall's socket; for supervisors and admins."""

    async def watches(self) -> None:
        """All calls."""
        return
