// How quickly voices answered the caller: each turn, and of all of them the median and the 95th percentile.

import { duration, seconds } from "../clock.js";
import { make, one, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";

export class Turns {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.panel = one("[data-turns-panel]");
    this.list = one("[data-turns]", this.panel);
  }

  draw() {
    const turns = [...this.state.turns.values()].filter((turn) => turn.call === this.id).sort((a, b) => a.spoken_ms - b.spoken_ms);
    this.panel.hidden = !turns.length;
    const said = turns.map((turn) => turn.turn).join();
    if (!turns.length || this.list.said === said) return;
    this.list.said = said;
    const gaps = turns.map((turn) => turn.gap_ms);
    const count = ngettext("%(n)s turn", "%(n)s turns", turns.length);
    text(one("[data-turns-sum]", this.panel), gettext("Half within %(p50)s, 95 of 100 within %(p95)s (%(turns)s)", { p50: seconds(percentile(gaps, 0.5)), p95: seconds(percentile(gaps, 0.95)), turns: count }));
    this.list.replaceChildren(...turns.map(asItem));
  }
}

/** The value that so many of the values do not exceed, by nearest rank. */
export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}

function asItem({ spoken_ms: at, gap_ms: gap }) {
  const item = make("li");
  item.append(make("time", "", duration(at)), make("span", "", seconds(gap)));
  return item;
}
