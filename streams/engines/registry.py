"""Which engines there are: modules with `make(options) -> Engine`, loaded when they are asked for."""

from __future__ import annotations

from importlib import import_module

from streams.engines.base import Engine, Options

__all__ = ["ENGINES", "make"]

ENGINES = {
    "embedded": "streams.engines.embedded",
    "scripted": "streams.engines.scripted",
}


def make(name: str, options: Options) -> Engine:
    """The engine of this name. Raises ValueError for an unknown one; what making it raises passes."""
    if name not in ENGINES:
        raise ValueError(f"no engine is called {name!r}; there are {', '.join(sorted(ENGINES))}")
    engine: Engine = import_module(ENGINES[name]).make(options)
    return engine
