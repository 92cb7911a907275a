"""What our rows and Twilio say differently."""

from dataclasses import dataclass

__all__ = ["Difference"]


@dataclass(frozen=True)
class Difference:
    """One thing that our rows and Twilio say differently; `fixed` says whether it was set right.

    `sid` names the thing at Twilio: the CallSid of a leg or participant, the name of a conference.
    """

    sid: str
    what: str
    ours: str
    twilios: str
    fixed: bool
