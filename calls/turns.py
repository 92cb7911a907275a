"""Turns: the 32 hexadecimal digits that end an address which we give to Twilio.

Half is chance, so that a legal repeat of a step has another address than a replay of a request. The other
half seals what the address was given for (`of`, any text), so that we know it again when Twilio asks, in
whatever order and without having written it down.
"""

import hashlib
import hmac

__all__ = ["CHANCE_BYTES", "given_for", "make"]

CHANCE_BYTES = 8
_HALF = 2 * CHANCE_BYTES


def make(*, of: str, key: str, chance: bytes) -> str:
    """A turn for `of`; `chance` are 8 random bytes."""
    head = chance[:CHANCE_BYTES].hex()
    return head + _seal(head, of, key)


def given_for(turn: str, *, of: str, key: str) -> bool:
    """Whether we made this turn for `of`."""
    return len(turn) == 2 * _HALF and hmac.compare_digest(
        turn[_HALF:].encode(), _seal(turn[:_HALF], of, key).encode()
    )


def _seal(head: str, of: str, key: str) -> str:
    text = f"turn {head} {of}".encode()
    return hmac.new(key.encode(), text, hashlib.sha256).hexdigest()[:_HALF]
