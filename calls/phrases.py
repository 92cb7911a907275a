"""Word rules: which of a site's phrases a line says. Pure; people give plain words, never patterns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from calls.rules import SPEAKERS, Finding, Rule
from calls.said import around, phrase, spoken

__all__ = ["MAX_WORDS", "Hit", "Words", "phrases"]

MAX_WORDS: Final = 12
"""Words of a phrase: with it the time for a line is bounded, whatever rules and callers say."""


@dataclass(frozen=True, slots=True)
class Hit:
    """The first place at which a line says the words of a rule."""

    rule: Rule
    quote: str


def phrases(lines: str) -> tuple[tuple[str, ...], ...]:
    """One word or phrase a line, as a rule holds them, each once; longer ones than MAX_WORDS are left out."""
    found = (phrase(line) for line in lines.splitlines())
    return tuple(dict.fromkeys(words for words in found if 0 < len(words) <= MAX_WORDS))


@dataclass(slots=True, eq=False)
class _Node:
    """The phrases that go on from here, by their next word, and the rules of the one that ends here."""

    then: dict[str, "_Node"] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)


class Words:
    """The word rules of a site, as one tree: a line is read once, however many rules there are."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self._root = _Node()
        for rule in rules:
            for words in rule.phrases:
                node = self._root
                for word in words:
                    node = node.then.setdefault(word, _Node())
                node.rules.append(rule)

    def __bool__(self) -> bool:
        return bool(self._root.then)

    def find(self, text: str) -> list[Hit]:
        """Each rule whose words are said, once, in the order in which they are said."""
        text, words = spoken(text)
        hits: dict[int, Hit] = {}
        told: set[int] = set()
        for at, first in enumerate(words):
            nodes = [self._root]
            for word in words[at:] if self._begins(first.forms) else ():
                nodes = [node.then[form] for node in nodes for form in word.forms if form in node.then]
                if not nodes:
                    break
                for node in nodes:
                    if node.rules and id(node) not in told:
                        told.add(id(node))
                        quote = around(text, first.start, word.end)
                        for rule in node.rules:
                            hits.setdefault(rule.id, Hit(rule, quote))
        return list(hits.values())

    def judge(
        self, text: str, *, speaker: str, queue: int | None, at_ms: int, utterance: str
    ) -> list[Finding]:
        """What the rules find in one line of this speaker in a call of this queue."""
        if speaker not in SPEAKERS:
            return []
        return [
            Finding(hit.rule, utterance, at_ms, hit.quote, utterance)
            for hit in self.find(text)
            if hit.rule.covers(queue) and hit.rule.hears(speaker)
        ]

    def _begins(self, forms: Sequence[str]) -> bool:
        return any(form in self._root.then for form in forms)
