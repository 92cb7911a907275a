// The bar above the wall: filters and the way of looking. Wall mode has neither.

import { all, make, one } from "../dom.js";
import { gettext } from "../i18n.js";
import { go } from "./wall-filter.js";

export class Bar {
  /** `changed()` is called when the filter or the view became another. */
  constructor(filter, changed) {
    this.filter = filter;
    this.changed = changed;
    this.form = one("[data-filters]");
    this.team = one("[data-filter-team]", this.form);
    this.queue = one("[data-filter-queue]", this.form);
    this.attention = one("[data-filter-attention]", this.form);
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", () => this.chosen());
    for (const button of all("[data-view]")) button.addEventListener("click", () => this.look(button.dataset.view));
    for (const button of all("[data-filter-clear]")) button.addEventListener("click", () => this.clear());
    addEventListener("popstate", () => this.back());
    this.show();
  }

  chosen() {
    this.filter.set({
      team: Number(this.team.value) || null,
      queue: Number(this.queue.value) || null,
      attention: this.attention.checked,
    });
    this.show();
    this.changed();
  }

  clear() {
    this.filter.clear();
    this.show();
    this.changed();
    one("#calls-title").focus();
  }

  back() {
    this.renew();
    this.changed();
  }

  /** Teams and queues may be others. */
  renew() {
    this.filter.read();
    this.show();
  }

  look(view) {
    go({ view: view === "cards" ? "cards" : null });
    this.show();
  }

  show() {
    const { filter } = this;
    const { teams } = filter.state;
    options(this.team, gettext("All teams"), teams.map((one) => [one.team, one.name]), filter.team);
    options(this.queue, gettext("All queues"), filter.queues().map((one) => [one.queue, one.name]), filter.queue);
    this.team.closest("label").hidden = !teams.length;
    this.queue.closest("label").hidden = !filter.state.queues.length;
    this.attention.checked = filter.attention;
    const view = new URLSearchParams(location.search).get("view") === "cards" ? "cards" : "table";
    one("[data-calls]").dataset.look = view;
    for (const button of all("[data-view]")) button.setAttribute("aria-pressed", String(button.dataset.view === view));
    const wall = new URL(location.href);
    wall.searchParams.set("wall", "1");
    one("[data-wall-link]").href = wall.pathname + wall.search;
  }
}

function options(select, none, found, chosen) {
  const wanted = [["", none], ...found];
  const same = wanted.length === select.options.length && wanted.every(([value, name], n) => select.options[n].value === String(value) && select.options[n].text === name);
  if (!same) select.replaceChildren(...wanted.map(([value, name]) => option(value, name)));
  select.value = chosen ?? "";
}

function option(value, name) {
  const element = make("option", "", name);
  element.value = value;
  return element;
}
