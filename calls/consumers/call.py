"""`/ws/calls/<id>/`: everything about one call."""

from channels.db import database_sync_to_async

from calls.consumers.base import BrowserSocket
from calls.selectors import call

__all__ = ["CallConsumer"]


class CallConsumer(BrowserSocket):
    """The socket of a call's page; for supervisors and admins."""

    async def watches(self) -> int:
        """The call in the address; a call that may not be seen answers like one that does not exist."""
        call_id = int(self.scope["url_route"]["kwargs"]["call_id"])
        if call_id >= 2**63 or not await database_sync_to_async(call.exists)(call_id, self.browser.scope):
            raise LookupError(call_id)
        return call_id
