// Below the calls: agents by what they do, with the time in it, and callers who wait, queue by queue.

import * as clock from "../clock.js";
import { icon, mark, one, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";
import { waitTone } from "./wall-figures.js";
import { fromTemplate, keep } from "./wall-list.js";
import { away, firstName, GROUPS } from "./wall-words.js";

const byName = (a, b) => a.name.localeCompare(b.name) || a.agent - b.agent;

export class Agents {
  constructor(state, filter, { bare = false } = {}) {
    this.state = state;
    this.filter = filter;
    this.bare = bare;
    this.panel = one("[data-agents]");
    this.groups = one("[data-agent-groups]", this.panel);
  }

  draw() {
    const seen = [...this.state.agents.values()].filter((agent) => this.filter.agent(agent));
    const off = seen.filter((agent) => agent.state === "offline").length;
    text(one("[data-agents-off]", this.panel), off ? ngettext("%(n)s offline", "%(n)s offline", off) : "");
    keep(this.groups, GROUPS, {
      key: ({ name }) => name,
      make: () => fromTemplate("agent-group"),
      show: (element, group) => this.showGroup(element, group, seen.filter((agent) => group.states.includes(agent.state)).sort(byName)),
    });
    const none = one("[data-no-agents]", this.panel);
    none.hidden = seen.length > 0;
    text(none, this.state.knows("agents") ? gettext("No agents here.") : gettext("The server does not tell of agents."));
    this.groups.hidden = !seen.length;
  }

  showGroup(element, { word, tone, icon: sign }, agents) {
    mark(element, "tone", agents.length ? tone : "");
    icon(one("svg", element), sign);
    text(one("[data-word]", element), word);
    text(one("[data-count]", element), String(agents.length));
    keep(one("ul", element), agents, { key: ({ agent }) => agent, make: () => fromTemplate("agent"), show: (item, agent) => this.show(item, agent) });
  }

  show(item, agent) {
    const name = one("[data-name]", item);
    text(one("bdi", name), this.bare ? firstName(agent.name) : agent.name);
    if (agent.call && !this.bare) name.href = `/calls/${agent.call}/`;
    else name.removeAttribute("href");
    const why = agent.state === "ringing" ? gettext("Ringing") : agent.state === "away" && !this.bare ? away(agent.reason) : "";
    text(one("[data-why]", item), why);
    one("cc-timer", item).run(agent.since);
  }
}

export class Waits {
  constructor(state, filter, { bare = false } = {}) {
    this.state = state;
    this.filter = filter;
    this.bare = bare;
    this.panel = one("[data-waits]");
    this.queues = one("[data-wait-queues]", this.panel);
  }

  draw() {
    const all = [...this.state.waiting.values()].filter((one) => this.filter.waiting(one)).sort(inTurn);
    const queues = new Map();
    for (const one of all) queues.set(one.queue ?? 0, [...(queues.get(one.queue ?? 0) ?? []), one]);
    keep(this.queues, [...queues], {
      key: ([queue]) => queue,
      make: () => fromTemplate("wait-queue"),
      show: (element, [queue, waits]) => this.showQueue(element, this.filter.queueOf(queue), waits),
    });
    const none = one("[data-no-waits]", this.panel);
    none.hidden = all.length > 0;
    text(none, this.state.knows("waiting") ? gettext("Nobody waits.") : gettext("The server does not tell who waits."));
  }

  showQueue(element, queue, waits) {
    text(one("[data-queue-name]", element), queue?.name ?? (waits[0].queue_name || gettext("For one agent")));
    text(one("[data-count]", element), ngettext("%(n)s waits", "%(n)s wait", waits.length));
    keep(one("ol", element), waits, {
      key: ({ waiting }) => waiting,
      make: () => fromTemplate("wait"),
      show: (item, wait) => this.show(item, wait, queue),
    });
  }

  show(item, wait, queue) {
    const call = this.state.calls.get(wait.call);
    const link = one("[data-caller]", item);
    text(one("bdi", link), this.bare ? firstName(call?.caller) : (call?.caller ?? gettext("Call %(call)s", { call: wait.call })));
    if (!this.bare) link.href = `/calls/${wait.call}/`;
    text(one("[data-for]", item), wait.agent ? gettext("for %(agent)s", { agent: this.bare ? firstName(wait.agent) : wait.agent }) : "");
    one("cc-timer", item).run(wait.entered_at);
    const tone = waitTone(clock.now() - Date.parse(wait.entered_at), queue);
    mark(item, "tone", tone);
    const sign = one("svg", item);
    sign.classList.toggle("is-none", tone !== "warn" && tone !== "bad");
    icon(sign, tone === "bad" ? "bad" : "bang");
    text(one("[data-tone-word]", item), { warn: gettext("long"), bad: gettext("too long") }[tone] ?? "");
  }
}

/** As the queue serves them: priority first, then who has waited longest. */
const inTurn = (a, b) => (a.queue ?? 0) - (b.queue ?? 0) || (b.priority ?? 0) - (a.priority ?? 0) || a.entered_at.localeCompare(b.entered_at) || a.waiting - b.waiting;
