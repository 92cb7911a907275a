// The cards and the strip of today, as wall-figures.js makes them; the figures of the server are asked for here.

import * as clock from "../clock.js";
import { all, icon, mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";

const EACH_MS = 5_000;
const SOON_MS = 300; // after a wait ended
const KEPT_MS = 2_100; // the server keeps its answer that long
const ICONS = { ok: "ok", warn: "bang", bad: "bad" };

export class Cards {
  constructor(figures) {
    this.figures = figures;
    this.cards = Object.fromEntries(all("[data-card]").map((card) => [card.dataset.card, card]));
    this.strip = one("[data-today]");
  }

  draw() {
    for (const [name, card] of Object.entries(this.figures.cards(clock.now()))) this.show(this.cards[name], card);
    const today = this.figures.today();
    for (const name of ["volume", "answered", "abandoned", "longest"]) text(one(`[data-figure="${name}"]`, this.strip), today[name]);
    const at = today.at ? gettext("as of %(time)s", { time: clock.timeOfDay(today.at) }) : "";
    text(one("[data-figures-at]"), [today.why, at].filter(Boolean).join(", "));
  }

  show(card, { value, target, word, tone }) {
    text(one(".card-value", card), value);
    text(one(".card-target", card), target);
    text(one("[data-word]", card), word);
    mark(card, "tone", tone);
    const sign = one("svg", card);
    sign.classList.toggle("is-none", !tone);
    if (tone) icon(sign, ICONS[tone]);
  }
}

/** Asks for the figures every 5 s while somebody looks, and soon after a wait ended. */
export class Poll {
  constructor(figures, arrived) {
    this.figures = figures;
    this.arrived = arrived;
    this.timer = null;
    document.addEventListener("visibilitychange", () => this.plan(document.hidden ? EACH_MS : 0));
    this.plan(EACH_MS);
  }

  /** A wait ended: what the server kept from before is not yet the answer. */
  ended() {
    this.since = clock.now();
    this.plan(SOON_MS);
  }

  plan(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), ms);
  }

  async ask() {
    const { state } = this.figures;
    if (document.hidden || !state.knows("figures")) return this.plan(EACH_MS);
    const found = await read();
    this.figures.failed = !found;
    if (found) state.figures = found;
    const old = found && Date.parse(found.at) < this.since;
    this.since = 0;
    this.plan(old ? KEPT_MS : EACH_MS);
    this.arrived();
  }
}

async function read() {
  try {
    const answer = await fetch("/live/figures/", { headers: { Accept: "application/json" } });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}
