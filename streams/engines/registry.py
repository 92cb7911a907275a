"""Which engines there are: modules with `make(options) -> Engine`, loaded when they are asked for."""

from __future__ import annotations

from importlib import import_module

from streams.engines.base import Engine, Options

__all__ = ["ENGINES", "LANGUAGES", "hears", "make"]

ENGINES = {
    "embedded": "streams.engines.embedded",
    "scripted": "streams.engines.scripted",
}

LANGUAGES: dict[str, tuple[str, ...]] = {"embedded": ("en",), "scripted": ()}
"""What each engine hears, known without loading it; () is any language."""


def hears(name: str, language: str) -> bool:
    """Whether the engine of this name hears a language such as "en" or "en-US"; an unknown one might."""
    languages = LANGUAGES.get(name, ())
    return not languages or language.split("-")[0].lower() in languages


def make(name: str, options: Options) -> Engine:
    """The engine of this name. Raises ValueError for an unknown one; what making it raises passes."""
    if name not in ENGINES:
        raise ValueError(f"no engine is called {name!r}; there are {', '.join(sorted(ENGINES))}")
    engine: Engine = import_module(ENGINES[name]).make(options)
    return engine
