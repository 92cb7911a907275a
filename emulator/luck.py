"""Chance that can be repeated: what is drawn depends on the seed, on what for, and on nothing else."""

from __future__ import annotations

from collections import OrderedDict
from random import Random

KEEP = 4096


class Luck:
    """One row of draws for each name; draws of one name do not change those of another."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._rows: OrderedDict[tuple[str, ...], Random] = OrderedDict()

    def strikes(self, chance: float, *name: str) -> bool:
        """Draw once, in the row of this name; a chance of 0 or 1 draws nothing."""
        if chance <= 0 or chance >= 1:
            return chance >= 1
        row = self._rows.get(name)
        if row is None:
            row = self._rows[name] = Random(f"{self._seed} {' '.join(name)}")
            if len(self._rows) > KEEP:
                self._rows.popitem(last=False)
        return row.random() < chance
