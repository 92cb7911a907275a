"""What a flow's texts come to on one call: facts, cells and hours in their places, as they are said. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Final

from calls.briefing import Briefing
from calls.days import say_day, say_opening, say_time
from calls.flows.fields import PLACE
from calls.flows.steps import Do, Flow

__all__ = ["Texts"]

_GROUP: Final = 4  # digits said in one breath


class Texts:
    """Of one call: `facts` are its facts and may grow, `now` is in the zone of its hours."""

    def __init__(self, flow: Flow, about: Briefing, now: datetime, facts: Mapping[str, str]) -> None:
        self.flow = flow
        self.about = about
        self.now = now
        self.facts = facts

    def told(self, text: str, *, spoken: bool = True) -> str:
        """The text with what its places stand for; what is not known is left out."""
        return PLACE.sub(lambda place: self._place(place[1], place[2] or "", spoken), text)

    def _place(self, name: str, column: str, spoken: bool) -> str:
        if column:
            return self.row(name).get(column, "")
        if name == "caller":
            return self.about.caller
        if name == "opens":
            return say_opening(self.about.schedule, self.now)
        kind = self.flow.kinds.get(name, "")
        value = self.facts.get(name, "")
        return value if kind == "digits" and not spoken else self.said(value, kind)

    def row(self, table: str) -> Mapping[str, str]:
        """The row that was looked up in the table; empty if there is none."""
        key = self.facts.get(self.flow.keyed_by.get(table, ""), "")
        return self.about.tables.get(table, {}).get(key, {})

    def said(self, value: str, kind: str) -> str:
        """A value as it is said: digits one by one, days and times in words."""
        if kind == "digits":
            groups = (value[at : at + _GROUP] for at in range(0, len(value), _GROUP))
            return ", ".join(" ".join(group) for group in groups)
        try:
            if kind == "day":
                return say_day(date.fromisoformat(value), self.now.date())
            return say_time(time.fromisoformat(value)) if kind == "time" else value
        except ValueError:  # noted elsewhere, or before the flow was changed
            return value

    def due(self, here: Do) -> str:
        """When the action is due, ISO 8601 with its offset; "" for no day and time."""
        try:
            day = date.fromisoformat(self.facts.get(here.day, ""))
            at = time.fromisoformat(self.facts.get(here.time, ""))
        except ValueError:
            return ""
        return datetime.combine(day, at, tzinfo=self.now.tzinfo).isoformat()
