"""The words that alert rules look out for, so that a page can mark them where they were said."""

from calls.models import AlertRule

__all__ = ["by_rule"]


def by_rule() -> dict[str, list[str]]:
    """The phrases of each active word rule, by the rule's name; rules of one name together. One query."""
    rules = AlertRule.objects.filter(kind=AlertRule.Kind.WORDS, active=True).order_by("name", "pk")
    found: dict[str, list[str]] = {}
    for name, words in rules.values_list("name", "words"):
        found.setdefault(name, []).extend(line.strip() for line in words.splitlines() if line.strip())
    return found
