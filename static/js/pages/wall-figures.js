// The figures above the wall, from what is known; each {value, target, word, tone}. Nothing here touches the page.
//
// "–" stands for what cannot be computed, and `word` says why. Targets and limits are the queues' own settings.

import { duration } from "../clock.js";
import { gettext, ngettext } from "../i18n.js";

const NONE = "–";
const FAR = 10; // points below the target that make a service level bad
const RANK = { "": 0, ok: 1, warn: 2, bad: 3 };
const WORDS = { ok: gettext("Within target"), warn: gettext("Warning"), bad: gettext("Over the limit") };

const FAILED = gettext("The figures could not be loaded");

const unknown = (why) => ({ value: NONE, target: "", word: why, tone: "" });
const notTold = () => unknown(gettext("The server does not tell this"));
const sum = (all, name) => all.reduce((total, one) => total + (one?.[name] ?? 0), 0);
const percent = (part, whole) => Math.round((100 * part) / whole);

/** How a wait of `ms` stands to the limits of its queue: "ok", "warn", "bad", "" where there are none. */
export function waitTone(ms, queue) {
  if (!queue) return "";
  if (ms >= queue.bad_seconds * 1000) return "bad";
  return ms >= queue.warn_seconds * 1000 ? "warn" : "ok";
}

export class Figures {
  constructor(state, filter) {
    this.state = state;
    this.filter = filter;
    this.failed = false; // the last question for the figures had no answer
  }

  waits(now) {
    return [...this.state.waiting.values()]
      .filter((one) => this.filter.waiting(one))
      .map((one) => ({ ms: now - Date.parse(one.entered_at), queue: this.filter.queueOf(one.queue) }))
      .sort((a, b) => b.ms - a.ms);
  }

  longest(now) {
    if (!this.state.knows("waiting")) return notTold();
    const [first] = this.waits(now);
    if (!first) return { ...unknown(gettext("Nobody waits")), value: duration(0), tone: "ok", target: this.limits() };
    const tone = waitTone(first.ms, first.queue);
    return { value: duration(first.ms), target: this.limits(first.queue), word: WORDS[tone] ?? gettext("For one agent"), tone };
  }

  /** "Support: at most 00:30": the limit of a queue, or of the only one that is looked at. */
  limits(queue = this.onlyQueue()) {
    if (!queue) return gettext("Limit: each queue's own");
    return gettext("%(queue)s: at most %(time)s", { queue: queue.name, time: duration(queue.warn_seconds * 1000) });
  }

  onlyQueue() {
    const seen = this.state.queues.filter((queue) => this.filter.counts(queue.queue));
    return seen.length === 1 ? seen[0] : undefined;
  }

  waiting(now) {
    if (!this.state.knows("waiting")) return notTold();
    const waits = this.waits(now);
    const tones = waits.map(({ ms, queue }) => waitTone(ms, queue));
    const tone = tones.reduce((worst, one) => (RANK[one] > RANK[worst] ? one : worst), "ok");
    const over = tones.filter((one) => one === "warn" || one === "bad").length;
    const word = over ? gettext("%(n)s over the limit", { n: over }) : WORDS.ok;
    return { value: String(waits.length), target: gettext("Target: none over the limit"), word, tone };
  }

  agents() {
    return [...this.state.agents.values()].filter((one) => this.filter.agent(one) && one.state !== "offline");
  }

  onCall() {
    if (!this.state.knows("agents")) return notTold();
    const all = this.agents();
    const busy = all.filter((one) => one.state === "on_call").length;
    const target = ngettext("of %(n)s agent", "of %(n)s agents", all.length);
    const word = all.length ? "" : gettext("No agent is signed in");
    return { value: String(busy), target, word, tone: "" };
  }

  ready(now) {
    if (!this.state.knows("agents")) return notTold();
    const all = this.agents();
    const ready = all.filter((one) => one.state === "ready").length;
    const waits = this.waits(now).length;
    const target = gettext("Target: at least 1");
    if (ready) return { value: String(ready), target, word: WORDS.ok, tone: "ok" };
    if (waits) return { value: "0", target, word: ngettext("%(n)s waits, nobody free", "%(n)s wait, nobody free", waits), tone: "bad" };
    return { value: "0", target, word: all.length ? gettext("Nobody is free") : gettext("No agent is signed in"), tone: all.length ? "warn" : "" };
  }

  /** [{queue, last30, today}] of the queues that are looked at, or why there are none. */
  queues() {
    const { figures } = this.state;
    if (!figures?.queues) return [];
    return Object.entries(figures.queues)
      .filter(([key]) => this.filter.counts(Number(key)))
      .map(([key, one]) => ({ ...one, queue: this.filter.queueOf(Number(key)) }));
  }

  whyNone() {
    if (!this.state.figures?.queues) return this.failed ? FAILED : gettext("The server does not tell this");
    return this.queues().length ? "" : gettext("There is no queue");
  }

  service() {
    const why = this.whyNone();
    if (why) return unknown(why);
    const queues = this.queues();
    const recent = queues.map((one) => one.last30);
    const all = sum(recent, "answered") + sum(recent, "abandoned");
    const target = this.targets(queues);
    if (!all) return { ...unknown(gettext("No wait ended in 30 min")), target: target.text };
    const level = percent(sum(recent, "in_target"), all);
    const tone = level >= target.percent ? "ok" : level >= target.percent - FAR ? "warn" : "bad";
    return { value: `${level} %`, target: target.text, word: { ...WORDS, warn: gettext("Below target"), bad: gettext("Far below target") }[tone], tone };
  }

  /** The target of several queues: each counts by how many of its waits ended. */
  targets(queues) {
    const set = queues.filter((one) => one.queue);
    if (!set.length) return { percent: 0, text: gettext("No target") };
    const texts = new Set(set.map(({ queue }) => gettext("Target: %(percent)s % in %(seconds)s s", { percent: queue.target_percent, seconds: queue.target_seconds })));
    const weight = ({ last30 }) => (last30?.answered ?? 0) + (last30?.abandoned ?? 0);
    const total = set.reduce((all, one) => all + weight(one), 0);
    const share = (one) => (total ? weight(one) / total : 1 / set.length);
    const mean = set.reduce((all, one) => all + one.queue.target_percent * share(one), 0);
    return { percent: mean, text: texts.size === 1 ? [...texts][0] : gettext("Target: %(percent)s %, each queue's own time", { percent: Math.round(mean) }) };
  }

  /** Those who gave up, against those whom the target lets go: 100 % less the service level's target. */
  abandoned() {
    const why = this.whyNone();
    if (why) return unknown(why);
    const queues = this.queues();
    const today = queues.map((one) => one.today);
    const [lost, offered] = [sum(today, "abandoned"), sum(today, "offered")];
    const allowed = 100 - this.targets(queues).percent;
    const target = gettext("Target: at most %(percent)s %", { percent: Math.round(allowed) });
    if (!offered) return { value: "0", target, word: gettext("No caller yet today"), tone: "" };
    const share = percent(lost, offered);
    const tone = share > allowed ? "bad" : share > allowed / 2 ? "warn" : "ok";
    return { value: String(lost), target, word: gettext("%(percent)s % of %(n)s in queues", { percent: share, n: offered }), tone };
  }

  cards(now) {
    return {
      longest: this.longest(now),
      waiting: this.waiting(now),
      oncall: this.onCall(),
      ready: this.ready(now),
      service: this.service(),
      abandoned: this.abandoned(),
    };
  }

  /** Today in four values; with a filter the volume is that of the queues. */
  today() {
    const { figures } = this.state;
    if (!figures) return { volume: NONE, answered: NONE, abandoned: NONE, longest: NONE, why: this.whyNone(), at: null };
    const queues = this.queues().map((one) => one.today);
    const whole = this.filter.narrow ? { volume: sum(queues, "offered"), answered: sum(queues, "answered") } : (figures.calls?.today ?? {});
    return {
      volume: String(whole.volume ?? NONE),
      answered: String(whole.answered ?? NONE),
      abandoned: queues.length ? String(sum(queues, "abandoned")) : NONE,
      longest: queues.length ? duration(1000 * Math.max(0, ...queues.map((one) => one.longest_wait_s ?? 0))) : NONE,
      why: this.failed ? FAILED : "",
      at: figures.at,
    };
  }
}
