// Transfer: the caller leaves the agent for another agent, a queue or a number, which is searched as one types.

import { make, mark, one, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";
import { AGENTS } from "./desk-words.js";

const WAIT_MS = 200;
const KINDS = { agent: gettext("Agent"), queue: gettext("Queue"), number: gettext("Number") };

export class Transfer {
  constructor(state, id, acts) {
    this.state = state;
    this.id = id;
    this.acts = acts;
    this.box = one("#transfer");
    this.form = one("form", this.box);
    this.list = one("[data-found]", this.box);
    this.field = one("[data-q]", this.box);
    this.asked = 0;
    this.options = [];
    this.field.addEventListener("input", () => this.soon());
    this.field.addEventListener("keydown", (event) => this.key(event));
    one("[data-cancel]", this.box).addEventListener("click", () => this.box.close());
    this.form.addEventListener("submit", (event) => this.go(event));
  }

  open() {
    if (this.box.open) return;
    this.form.reset();
    this.show([]);
    this.note("");
    text(one("[data-what]", this.box), this.inWords());
    this.box.showModal();
    this.field.focus();
    this.look();
  }

  inWords() {
    const { agent, caller } = this.state.calls.get(this.id);
    if (!agent) return gettext("%(caller)s goes to whom you choose.", { caller });
    return gettext("%(caller)s goes to whom you choose; the part of %(agent)s in the call ends.", { caller, agent });
  }

  note(words, bad = false) {
    const place = one("[data-found-note]", this.box);
    text(place, words);
    mark(place, "tone", bad ? "bad" : "");
  }

  soon() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.choose(null);
    this.timer = setTimeout(() => this.look(), WAIT_MS);
  }

  /** A late answer to an old question is dropped. */
  async look() {
    const asked = ++this.asked;
    const result = await search(this.form.dataset.search, this.field.value.trim());
    if (asked !== this.asked || !this.box.open) return;
    if (result.error) this.note(result.error, true);
    else this.found(result);
  }

  found({ agents = [], queues = [], number = null }) {
    const own = String(this.state.calls.get(this.id).agent_id); // who has the call already
    const entries = [
      ...(number ? [{ kind: "number", key: number.key, name: number.shown, note: number.text, off: !number.allowed }] : []),
      ...agents.filter(({ key }) => key !== own).map(({ key, name, state }) => ({ kind: "agent", key, name, note: AGENTS[state] ?? state, off: state !== "ready" })),
      ...queues.map(({ key, name, waiting }) => ({ kind: "queue", key, name, note: ngettext("%(n)s caller waits", "%(n)s callers wait", waiting) })),
    ];
    this.show(entries);
    this.note(entries.length ? "" : gettext("Nobody by that name. A number is written +31 20 123 4567."));
  }

  show(entries) {
    this.options = entries.map((entry) => this.option(entry));
    this.list.replaceChildren(...this.options);
    this.choose(this.options.find((option) => !option.off) ?? null);
  }

  option(entry) {
    const item = Object.assign(make("li", "found-item"), { entry, off: entry.off, id: `to-${entry.kind}-${String(entry.key).replace(/\W/g, "")}` });
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    if (entry.off) item.setAttribute("aria-disabled", "true");
    item.append(make("span", "kind", KINDS[entry.kind]), make("bdi", "", entry.name), make("span", "sub", entry.note));
    item.addEventListener("click", () => this.choose(item.off ? this.chosen : item));
    return item;
  }

  choose(item) {
    this.chosen = item;
    for (const option of this.options) option.setAttribute("aria-selected", String(option === item));
    if (item) this.field.setAttribute("aria-activedescendant", item.id);
    else this.field.removeAttribute("aria-activedescendant");
    one("[data-go]", this.box).disabled = !item;
    item?.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const open = this.options.filter((option) => !option.off);
    const at = open.indexOf(this.chosen);
    if (open.length) this.choose(open[(at + step + open.length) % open.length]);
  }

  /** The dialog goes at once; what comes of it is told beside the bar. */
  go(event) {
    event.preventDefault();
    if (!this.chosen) return;
    const { kind, key } = this.chosen.entry;
    this.box.close();
    this.acts.do("call.transfer", { to: { kind, key }, reason: this.form.elements.reason.value.trim() });
  }
}

/** {agents, queues, number}, or {error: a sentence}. */
async function search(address, words) {
  try {
    const answer = await fetch(`${address}?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } });
    const body = await answer.json();
    return answer.ok ? body : { error: body.error?.text ?? gettext("The search did not work. Try again.") };
  } catch {
    return { error: gettext("There is no connection to the server. Nothing was found.") };
  }
}
