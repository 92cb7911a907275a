"""Whether a flow leads everybody out: each step is reached, and who falls silent comes to an end. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from calls.flows.steps import ASKING, Flow, Step

__all__ = ["faults"]

_MOST_TOLD: Final = 8  # steps of a loop


def faults(flow: Flow) -> Iterator[tuple[int, str]]:
    """Line and reason of each step that nobody reaches, and of each loop without an end."""
    reached = _reached(flow)
    for step in flow.steps.values():
        if step.name not in reached:
            yield step.line, f"Nobody reaches the step “{step.name}”: no other leads to it."
    done: set[str] = set()
    for name in flow.steps:
        if loop := _loop(flow.steps, name, done):
            yield flow.steps[loop[0]].line, _told(flow, loop)


def _reached(flow: Flow) -> set[str]:
    ways: dict[str, list[str]] = {}
    for source, target in flow.leads():
        ways.setdefault(source, []).append(target)
    reached, waiting = set[str](), [flow.start]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += ways.get(name, ())
    return reached


def _loop(steps: Mapping[str, Step], begin: str, done: set[str]) -> list[str]:
    """A circle that a silent caller would go round in, step by step; `done` are known to have none."""
    way: list[str] = []
    waiting: list[tuple[str, bool]] = [(begin, False)]
    while waiting:
        name, is_left = waiting.pop()
        if is_left:
            done.add(way.pop())
        elif name in way:
            done.update(way)
            return way[way.index(name) :]
        elif name not in done:
            way.append(name)
            waiting.append((name, True))
            waiting += [(target, False) for target in steps[name].unasked() if target in steps]
    return []


def _told(flow: Flow, loop: list[str]) -> str:
    more = ["…"] if len(loop) > _MOST_TOLD else []
    way = " → ".join([*loop[:_MOST_TOLD], *more, loop[0]])
    if any(isinstance(flow.steps[name], ASKING) for name in loop):
        return (
            f"This could ask for ever: who says nothing goes {way}. Let `otherwise` lead out, to a person, "
            "a message or an end."
        )
    return f"This goes round and never asks: {way}."
