// The rows of the wall. New ones come last; ended ones stay in their place for 10 s, and as long as the pointer
// or the focus is in the table.

import * as clock from "../clock.js";
import { mark, one, text } from "../dom.js";
import { streamHealth } from "../health.js";
import { loudest, Talk } from "../talk.js";
import { inQueue, OUTCOMES, SPEAKERS, STATES } from "../words.js";
import { showBadge, showHealth, showHelp, speakerOf } from "./pieces.js";

const ENDED_MS = 10_000;
const OLD_MS = 1_500; // a level that is no longer confirmed is not shown
const NOTHING = { inbound: null, outbound: null };

export class Rows {
  constructor(table, state) {
    this.table = table;
    this.state = state;
    this.body = one("[data-rows]", table);
    this.template = one("#row");
    this.empty = one("[data-empty]");
    this.rows = new Map(); // call → {element, talk}
    this.started = false;
  }

  /** Whether sound is due, so that silence on the line means trouble. */
  get streaming() {
    return [...this.state.streams.values()].some((stream) => stream.state === "open" && !stream.paused);
  }

  /** Show the calls that changed; null among them means all. */
  draw(changed) {
    for (const id of this.rows.keys()) if (!this.state.calls.has(id)) this.remove(id);
    const all = changed.has(null);
    for (const call of this.inOrder()) if (all || changed.has(call.call)) this.show(call);
    this.started = true;
    this.showEmpty();
  }

  inOrder() {
    return [...this.state.calls.values()].sort((a, b) => a.started_at.localeCompare(b.started_at) || a.call - b.call);
  }

  /** Each second: the words beside the meters, and which ended rows go. */
  second() {
    for (const [id, row] of this.rows) {
      const call = this.state.calls.get(id);
      if (!call) continue;
      if (call.state === "ended") this.age(call, row);
      else this.showTalk(id, row);
      if (row.heardAt && Date.now() - row.heardAt > OLD_MS) row.meter.levels = NOTHING;
    }
  }

  /** Levels of one tick: {StreamSid: {inbound, outbound}}. */
  levels(levels, paused) {
    for (const [id, row] of this.rows) {
      const ours = this.state.openOf(id).map((stream) => levels[stream.stream]).filter(Boolean);
      if (!ours.length) continue;
      const level = loudest(ours);
      row.talk.hear(level);
      row.heardAt = Date.now();
      if (paused) continue;
      row.meter.levels = level;
      this.showTalk(id, row);
    }
  }

  show(call) {
    const row = this.rows.get(call.call) ?? this.add(call);
    const { element } = row;
    const state = call.state === "ended" ? (OUTCOMES[call.outcome] ?? STATES.ended) : STATES[call.state];
    mark(element, "state", call.state);
    showBadge(one("[data-badge]", element), state);
    const caller = one("[data-caller]", element);
    text(caller, call.caller);
    caller.title = call.caller; // the column may be too narrow for it
    text(one("[data-phone]", element), call.caller_number === call.caller ? "" : call.caller_number);
    text(one("[data-queue]", element), call.queue ? inQueue(call.queue) : "");
    showHelp(one("[data-help]", element), call);
    text(one("[data-line]", element), call.label || call.number || "Unknown line");
    text(one("[data-agent]", element), call.agent || "No agent yet");
    text(one("[data-open-name]", element), ` the call of ${call.caller}`);
    if (call.state === "ended") this.age(call, row);
    else one("[data-time]", element).run(call.answered_at ?? call.started_at);
    this.showWords(call, element);
    showHealth(one("[data-health]", element), streamHealth(this.state, call));
    const streaming = call.state !== "ended" && this.state.openOf(call.call).length > 0;
    mark(element, "streaming", streaming ? "yes" : "");
    if (!streaming) row.meter.levels = NOTHING;
    this.showTalk(call.call, row);
  }

  add(call) {
    const element = this.template.content.cloneNode(true).firstElementChild;
    const row = { element, talk: new Talk(), meter: one("cc-meter", element) };
    element.dataset.call = call.call;
    one("[data-open]", element).href = `/calls/${call.call}/`;
    if (this.started) element.classList.add("is-new");
    this.rows.set(call.call, row);
    this.body.append(element);
    customElements.upgrade(element);
    return row;
  }

  showTalk(id, row) {
    const call = this.state.calls.get(id);
    const say = call?.state === "ended" || !this.state.openOf(id).length ? { who: "", text: "" } : row.talk.say();
    const place = one("[data-talk]", row.element);
    text(place, say.text);
    mark(place, "who", say.who);
  }

  showWords(call, element) {
    const partial = call.state === "ended" ? undefined : this.state.lastPartial(call.call);
    const line = partial ?? this.state.lastLine(call.call);
    const place = one("[data-words]", element);
    const speaker = line ? (line.speaker ?? speakerOf(line.track, call)) : "";
    place.classList.toggle("is-partial", Boolean(partial));
    mark(place, "who", speaker);
    text(one("[data-who]", place), SPEAKERS[speaker] ?? "");
    text(one("[data-text]", place), line?.text ?? "");
  }

  age(call, row) {
    const ago = clock.now() - Date.parse(call.ended_at);
    const held = this.table.matches(":hover, :focus-within");
    if (ago > ENDED_MS && !held) {
      this.state.forget(call.call);
      this.remove(call.call);
      this.state.site.last_ended_at = call.ended_at;
      this.showEmpty();
      return;
    }
    const timer = one("[data-time]", row.element);
    timer.disconnectedCallback();
    text(timer, `Ended ${clock.duration(ago)} ago`);
  }

  remove(id) {
    this.rows.get(id).element.remove();
    this.rows.delete(id);
  }

  showEmpty() {
    const none = this.rows.size === 0;
    const { site } = this.state;
    const first = none && !site.numbers && !site.last_ended_at;
    this.table.hidden = none;
    this.empty.hidden = !none;
    if (!none) return;
    const last = site.last_ended_at ? `Last call ended at ${clock.timeOfDay(site.last_ended_at, false)}.` : "";
    text(one("[data-empty-title]"), first ? "No numbers are connected yet." : `No calls right now. ${last}`.trim());
    text(
      one("[data-empty-text]"),
      first
        ? "Add a number, point its webhooks here with “manage.py connect”, then call it. To look around without a Twilio account, run “make demo”."
        : "A call appears here within half a second of its first ring.",
    );
    one("[data-first-run]").hidden = !first;
  }
}
