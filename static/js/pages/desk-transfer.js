// Transfer: whom (an agent, a queue, a number), and whether to talk first or to hand over at once.

import { make, mark, one, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";
import { busy } from "./desk-pieces.js";
import { Search } from "./desk-search.js";
import { AGENTS } from "./desk-words.js";

export class Transfer {
  constructor(desk) {
    this.desk = desk;
    this.box = one("#transfer");
    this.form = one("[data-transfer-form]", this.box);
    this.list = one("[data-found]", this.box);
    this.field = one("[data-q]", this.box);
    this.field.dataset.all = "yes"; // an empty field lists everybody
    this.search = new Search(this.field, (result, error) => this.found(result, error));
    this.field.addEventListener("keydown", (event) => this.key(event));
    one("[data-cancel]", this.box).addEventListener("click", () => this.box.close());
    this.form.addEventListener("submit", (event) => this.go(event));
  }

  open() {
    if (this.box.open) return;
    this.form.reset();
    this.toQueue = false;
    this.choose(null);
    this.options = [];
    this.list.replaceChildren();
    one("[data-error]", this.box).hidden = true;
    this.box.showModal();
    this.field.focus();
    this.search.look();
  }

  close() {
    if (this.box.open) this.box.close();
  }

  found(result, error) {
    this.choose(null);
    text(one("[data-found-note]", this.box), error ? error.text : "");
    if (!result) return;
    const { agents = [], queues = [], number = null } = result;
    const entries = [
      ...(number ? [{ kind: "number", key: number.key, name: number.shown, note: number.text, off: !number.allowed }] : []),
      ...agents.map(({ key, name, state }) => ({ kind: "agent", key, name, note: AGENTS[state] ?? state, off: state !== "ready" })),
      ...queues.map(({ key, name, waiting }) => ({ kind: "queue", key, name, note: ngettext("%(n)s caller waits", "%(n)s callers wait", waiting) })),
    ];
    this.options = entries.map((entry) => this.option(entry));
    this.list.replaceChildren(...this.options);
    if (!entries.length) text(one("[data-found-note]", this.box), gettext("Nobody by that name. A number is written +31 20 123 4567."));
    this.choose(this.options.find((option) => !option.off) ?? null);
  }

  option(entry) {
    const item = Object.assign(make("li", "found-item"), { entry, off: entry.off, id: `to-${entry.kind}-${String(entry.key).replace(/\W/g, "")}` });
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    if (entry.off) item.setAttribute("aria-disabled", "true");
    mark(item, "kind", entry.kind);
    const kinds = { agent: gettext("Agent"), queue: gettext("Queue"), number: gettext("Number") };
    item.append(make("span", "kind", kinds[entry.kind]), make("bdi", "", entry.name), make("span", "sub", entry.note));
    item.addEventListener("click", () => this.choose(item.off ? this.chosen : item));
    return item;
  }

  choose(item) {
    this.chosen = item;
    for (const one of this.options ?? []) one.setAttribute("aria-selected", String(one === item));
    if (item) this.field.setAttribute("aria-activedescendant", item.id);
    else this.field.removeAttribute("aria-activedescendant");
    one("[data-go]", this.box).disabled = !item;
    const queue = item?.entry.kind === "queue";
    if (queue !== this.toQueue) this.form.elements.first.value = queue ? "no" : "yes"; // first: a free agent of it
    this.toQueue = queue;
    item?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const open = (this.options ?? []).filter((option) => !option.off);
    const at = open.indexOf(this.chosen);
    if (open.length) this.choose(open[(at + step + open.length) % open.length]);
  }

  async go(event) {
    event.preventDefault();
    const { offer } = this.desk.state;
    if (!this.chosen || !offer) return;
    const { kind, key } = this.chosen.entry;
    const first = this.form.elements.first.value === "yes";
    const fields = { offer: offer.offer, to: { kind, key }, first, reason: this.form.elements.reason.value.trim() };
    const wrong = one("[data-error]", this.box);
    wrong.hidden = true;
    const failed = (error) => {
      wrong.hidden = false;
      text(wrong, error.text);
    };
    if (await busy(one("[data-go]", this.box), () => this.desk.act("transfer", fields, { failed }))) this.close();
  }
}
