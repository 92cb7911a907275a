"""`/ws/live/`: everything about every live call that the person may see."""

from calls.consumers.base import BrowserSocket

__all__ = ["LiveConsumer"]


class LiveConsumer(BrowserSocket):
    """The wall's socket; for supervisors and admins."""

    async def watches(self) -> None:
        """All calls, as far as the scope goes."""
        return
