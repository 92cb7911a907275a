"""The pages in a language that nobody speaks: what a script says without asking for its words stands out.

Each sentence of a script comes back in ⟦brackets⟧. What the server wrote into the page, and names, numbers
and words of people, are known; any other word outside brackets is English that cannot be translated.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.deskplay import DeskPlay
from tests.browser.test_axe import STATES
from tests.browser.theatre import Stage

Arrive = Callable[..., Page]
# Every state in which axe-core looks at the pages, but those that differ by the server's words alone.
SAME = {
    "login refused",
    "home",
    "403",
    "404",
    "500",
    "history nothing found",
    "history empty",
    "voicemails empty",
}
PSEUDO = """globalThis.django = {
  gettext: (text) => `⟦${text}⟧`,
  ngettext: (one, many, n) => `⟦${n === 1 ? one : many}⟧`,
};"""
# [[words, where], …] of the visible page that stand in no brackets, in no template, and in no data.
ENGLISH = r"""async ({ data }) => {
  const html = await (await fetch(location.href)).text();
  const written = new DOMParser().parseFromString(html, "text/html");
  const TOKEN = /[\p{L}\p{N}’']+/gu;
  const NAMES = ["aria-label", "title", "placeholder", "alt"];
  const OPEN = ["parameters", "entered"]; // here the names are other people's words too

  const known = new Set(["Alt", "Ctrl"]);
  const learn = (one, names = false) => {
    if (typeof one === "string") for (const word of one.match(TOKEN) ?? []) known.add(word);
    if (!one || typeof one !== "object") return;
    for (const [name, value] of Object.entries(one)) {
      if (names) learn(name);
      learn(value, OPEN.includes(name));
    }
  };
  learn(data);
  const sheets = document.querySelectorAll("script[type='application/json']");
  for (const sheet of sheets) learn(JSON.parse(sheet.textContent));

  const below = (root) => [root, ...root.querySelectorAll("*")];
  const texts = (root) =>
    below(root).flatMap((one) => [...one.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE));
  const templates = new Set();
  for (const root of [written.body, ...[...written.querySelectorAll("template")].map((one) => one.content)]) {
    for (const node of texts(root)) templates.add(node.data.trim());
    for (const name of NAMES)
      for (const one of root.querySelectorAll(`[${name}]`)) templates.add(one.getAttribute(name).trim());
  }

  const plain = (text) => {
    for (let before = ""; before !== text; ) [before, text] = [text, text.replace(/⟦[^⟦⟧]*⟧/g, " ")];
    return text.replace(/\b\d{1,2} \p{L}{3,4} \d{4}\b/gu, " "); // a date, by the browser
  };
  const spoken = [];
  const judge = (text, where) => {
    if (templates.has(text.trim())) return;
    const said = (plain(text).match(TOKEN) ?? []).filter((word) => /\p{L}.*\p{L}/u.test(word));
    const words = said.filter((word) => !known.has(word));
    if (words.length) spoken.push([words.join(" "), `${where}: ${text.trim().slice(0, 60)}`]);
  };
  for (const node of texts(document.body))
    if (!node.parentElement.closest("script, style, noscript, template, kbd"))
      judge(node.data, `${node.parentElement.localName}.${node.parentElement.className}`);
  for (const name of NAMES)
    for (const one of document.body.querySelectorAll(`[${name}]`))
      judge(one.getAttribute(name), `${name} of ${one.localName}`);
  judge(document.title.replace(written.title, ""), "title of the page");
  return spoken;
}"""


@pytest.mark.parametrize("state", [name for name in STATES if name not in SAME])
def test_scripts_say_nothing_that_cannot_be_translated(
    arrive: Arrive, page: Page, stage: Stage, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    told: list[object] = []
    monkeypatch.setattr(DeskPlay, "message", _told(told, DeskPlay.message))
    page.route("**/jsi18n/", lambda route: route.fulfill(content_type="text/javascript", body=PSEUDO))
    monkeypatch.setattr("tests.browser.test_axe.LIVE", "⟦Live⟧")
    STATES[state](arrive, page, stage)
    assert page.evaluate(ENGLISH, {"data": told}) == []


def test_english_of_a_script_stands_out(arrive: Arrive, page: Page) -> None:
    page.route("**/jsi18n/", lambda route: route.fulfill(content_type="text/javascript", body=PSEUDO))
    arrive("mina", "/calls/")
    expect(page.locator("[data-theme-word]")).to_contain_text("⟦Theme:")
    assert page.evaluate(ENGLISH, {"data": []}) == []
    page.evaluate("() => document.querySelector('h1').append(' waits for somebody')")
    assert [words for words, _ in page.evaluate(ENGLISH, {"data": []})] == ["waits for somebody"]


def _told(
    kept: list[object], message: Callable[[DeskPlay], dict[str, object]]
) -> Callable[[DeskPlay], object]:
    def telling(play: DeskPlay) -> dict[str, object]:
        body = message(play)
        kept.extend([body, play.found])
        return body

    return telling
