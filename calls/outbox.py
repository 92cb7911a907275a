"""What one browser is still to get: events each once and in order, ticks the latest only, all of it bounded.

Daphne has no back-pressure: whatever is handed to it for a stalled browser stays in memory. So the browser
acknowledges each `levels` message (`ack`), and at most two per media process may be on their way; newer ones
replace what waits. An acknowledgement proves that everything sent before it has arrived, because a socket
keeps order; events sent since the oldest unproved one count as behind, and 256 behind are too many.
Partial lines and health need no acknowledgement of their own and are held back on the same proof.
"""

from collections import deque
from dataclasses import dataclass, field

__all__ = ["EVENTS_BEHIND", "LEVELS_UNDER_WAY", "Behind", "Outbox", "with_ids"]

EVENTS_BEHIND = 256
LEVELS_UNDER_WAY = 2  # per media process
PASSING_UNDER_WAY = 256  # partial lines and health since the last proof
PARTIALS_WAITING = 1024  # tracks that speak at once; beyond, the oldest line goes
NOTICES_WAITING = 16


class Behind(Exception):
    """The browser takes too long: close it (4408), it will resume from the last event that it saw."""


@dataclass(frozen=True)
class _Proof:
    """How much had been sent when a `levels` message left; its `ack` proves that all of it arrived."""

    source: str
    events: int
    passing: int


@dataclass
class Outbox:
    """One browser's queue. `take` gives what may be sent now; nothing here waits or knows a socket."""

    last_id: int = 0  # the id of the newest event put in, which the next one names in `after`
    _events: deque[str] = field(default_factory=deque)
    _notices: deque[str] = field(default_factory=lambda: deque(maxlen=NOTICES_WAITING))
    _levels: dict[str, str] = field(default_factory=dict)
    _health: dict[str, str] = field(default_factory=dict)
    _partials: dict[tuple[str, str], str] = field(default_factory=dict)
    _proofs: deque[_Proof] = field(default_factory=deque)
    _events_sent: int = 0
    _events_proved: int = 0
    _passing_sent: int = 0
    _passing_proved: int = 0

    def restart(self, last_id: int, *answer: str) -> None:
        """After `hello`: forget what waits, send `answer` first, and chain events to `last_id`."""
        self._events.clear()
        self._partials.clear()
        self._events.extend(answer)
        self.last_id = last_id

    def event(self, id_: int, body: str) -> None:
        """Put in one event; `body` is its JSON object without `id` and `after`. Raises Behind."""
        if id_ > self.last_id:
            self.state(id_, body)

    def state(self, id_: int, body: str) -> None:
        """Put in a whole state as of event `id_`, whatever came before; events chain to it. Raises Behind."""
        self._events.append(with_ids(body, id_=id_, after=self.last_id))
        self.last_id = id_
        if self.behind() > EVENTS_BEHIND:
            raise Behind

    def notice(self, text: str) -> None:
        """Put in a beat or an error; of too many the oldest goes."""
        self._notices.append(text)

    def levels(self, source: str, text: str) -> None:
        """The newest levels of one media process replace those that wait."""
        self._levels[source] = text

    def health(self, source: str, text: str) -> None:
        """The newest health of one media process replaces the one that waits."""
        self._health[source] = text

    def partial(self, stream: str, track: str, text: str) -> None:
        """The newest partial line of a track replaces the one that waits."""
        self._partials[stream, track] = text
        if len(self._partials) > PARTIALS_WAITING:
            self._partials.pop(next(iter(self._partials)))

    def final(self, stream: str, track: str) -> None:
        """A final line came: the partial one that waits is old."""
        self._partials.pop((stream, track), None)

    def forget_ticks(self) -> None:
        """What is seen has changed: levels, health and partial lines that wait may show too much."""
        self._levels.clear()
        self._health.clear()
        self._partials.clear()

    def ack(self) -> bool:
        """The browser has the oldest `levels` under way; False if none was."""
        if not self._proofs:
            return False
        proof = self._proofs.popleft()
        self._events_proved, self._passing_proved = proof.events, proof.passing
        return True

    def behind(self) -> int:
        """Events that wait, and those sent but not proved while an acknowledgement is due."""
        unproved = self._events_sent - self._events_proved if self._proofs else 0
        return len(self._events) + unproved

    def take(self) -> list[str]:
        """What may be sent now, in order: notices, events, partial lines, health, levels."""
        texts = [*self._notices, *self._take_events(), *self._take_passing(), *self._take_levels()]
        self._notices.clear()
        return texts

    def _take_events(self) -> list[str]:
        texts = list(self._events)
        self._events.clear()
        self._events_sent += len(texts)
        return texts

    def _take_passing(self) -> list[str]:
        unproved = self._passing_sent - self._passing_proved if self._proofs else 0
        room = max(0, PASSING_UNDER_WAY - unproved)
        keys = list(self._partials)[:room]
        texts = [self._partials.pop(key) for key in keys]
        sources = list(self._health)[: room - len(texts)]
        texts += [self._health.pop(source) for source in sources]
        self._passing_sent += len(texts)
        return texts

    def _take_levels(self) -> list[str]:
        texts = []
        for source in list(self._levels):
            if sum(proof.source == source for proof in self._proofs) < LEVELS_UNDER_WAY:
                texts.append(self._levels.pop(source))
                self._proofs.append(_Proof(source, self._events_sent, self._passing_sent))
        return texts


def with_ids(body: str, *, id_: int, after: int) -> str:
    """The JSON object `body` with `id` and `after` put in front: encoded once, sent to many."""
    return f'{{"id":{id_},"after":{after},{body[1:]}'
