"""axe-core in a page: what it finds against WCAG 2.2 AA and good practice, one line for each element.

The script lies in tests/vendor; the browser's debugger evaluates it, so the page's policy stays as it is.
"""

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

__all__ = ["SCRIPT", "violations"]

SCRIPT = Path(__file__).resolve().parent.parent / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async ({ tags, without }) => {
  const found = await axe.run({ exclude: without }, {
    runOnly: tags, resultTypes: ["violations"], rules: { "target-size": { enabled: true } },
  });
  return found.violations.flatMap(({ id, nodes }) => nodes.map((node) => ({
    id, where: node.target.join(" "), why: node.failureSummary, html: node.html.slice(0, 160),
  })));
}"""


def violations(page: Page, *, without: tuple[str, ...] = ()) -> list[str]:
    """What axe-core finds on the page as it is now: "rule: element: why". `without`: selectors left out."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(SCRIPT.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = page.evaluate(RUN, {"tags": TAGS, "without": [[one] for one in without]})
    return [f"{one['id']}: {one['where']}: {_short(one['why'])} {one['html']}" for one in found]


def _short(why: str) -> str:
    return " ".join(line.strip() for line in why.splitlines()[1:])
