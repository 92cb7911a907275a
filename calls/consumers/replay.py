"""What a browser missed, from the table or from what was kept: as if it had been there all the time."""

from collections.abc import Iterable
from dataclasses import dataclass

from calls.consumers.browser import Browser
from calls.events import newest_id
from calls.outbox import EVENTS_BEHIND
from calls.selectors import call as one_call
from calls.selectors import feed

__all__ = ["Answer", "again", "missed"]


@dataclass
class Answer:
    """To a `hello`: the texts, the id with which they end for this browser, the id up to which we looked."""

    texts: list[str]
    chained: int
    upto: int
    streams: set[str]


def missed(browser: Browser, last_id: int) -> Answer | None:
    """The events after `last_id` that this browser sees; None if a snapshot must do.

    Raises LookupError if it may not see the call that it watches.
    """
    if browser.call is not None and not one_call.exists(browser.call, browser.scope):
        raise LookupError
    if last_id > newest_id():
        return None
    batch = feed.after(last_id, limit=EVENTS_BEHIND)
    if not batch.whole:
        return None
    answer = again(browser, last_id, batch.messages, batch.upto)
    if answer is not None and browser.call is not None:
        answer.streams |= one_call.stream_sids(browser.call)
    return answer


def again(browser: Browser, last_id: int, told: Iterable[feed.Told], upto: int) -> Answer | None:
    """What a browser like this one would have been sent of these; None if it needs a snapshot."""
    stand_in = Browser(call=browser.call, scope=browser.scope, language=browser.language)
    stand_in.outbox.restart(last_id)
    for one in told:
        stand_in.give(one)
    texts, chained = stand_in.outbox.take(), stand_in.outbox.last_id
    return None if stand_in.stale else Answer(texts, chained, upto, set())
