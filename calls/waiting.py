"""What a caller hears while waiting, round by round, and what they may choose."""

from dataclasses import dataclass

from calls.steps import Say

__all__ = ["Offers", "Round", "chapter", "choice", "round_of"]

HOLD_ON = "Please hold the line."
_AGAIN_SECONDS = 120  # who waits long hears again what they may choose
_KEYS = {"1": "voicemail", "2": "callback"}


@dataclass(frozen=True)
class Offers:
    """What the queue tells and offers: the place, a message (1), to be called back in turn (2)."""

    position: bool = True
    voicemail: bool = True
    callback: bool = True


@dataclass(frozen=True)
class Round:
    """Some sentences, then music; a key is listened to all the while if there is something to choose."""

    said: tuple[Say, ...]
    keys: bool


def chapter(offers: Offers, *, position: int, waited: int) -> str:
    """What a round is about, in a word: the same as in the round before, and nothing is said again.

    `waited` in seconds, by Twilio's count.
    """
    place = position if offers.position else 0
    return f"round {place} {max(waited, 0) // _AGAIN_SECONDS}"


def round_of(offers: Offers, *, position: int, told: bool) -> Round:
    """One round for who is number `position`; `told` says that they have heard so already."""
    keys = offers.voicemail or offers.callback
    return Round(() if told else _sentences(offers, position), keys)


def choice(digits: str, offers: Offers) -> str:
    """What the first key means: voicemail, callback, or nothing that is offered."""
    wanted = _KEYS.get(digits[:1], "")
    return wanted if wanted and getattr(offers, wanted) else ""


def _sentences(offers: Offers, position: int) -> tuple[Say, ...]:
    said = []
    if offers.position:
        said.append("You are next." if position <= 1 else f"You are number {position} in the queue.")
    if offers.voicemail:
        said.append("To leave a message, press 1.")
    if offers.callback:
        said.append("To be called back when it is your turn, press 2.")
    return (Say(" ".join(said) or HOLD_ON),)
