// The rows of the wall: those that need attention first, the others in the order in which they began.
//
// Nothing moves and no row goes while the pointer or the focus is in the table: what would is counted, "3 changes
// waiting: apply". New rows come all the same, below. An ended row stays for 10 s.

import * as clock from "../clock.js";
import { one, text } from "../dom.js";
import { ngettext } from "../i18n.js";
import { listening } from "../listen.js";
import { loudest } from "../talk.js";
import { isHeld, placeAfter, whenLeft } from "./wall-list.js";
import { Row } from "./wall-row.js";

const ENDED_MS = 10_000;

export class Rows {
  /** `bare`: a screen for everybody. `emptied(shown)` is told whether any row is there. */
  constructor(state, filter, { bare = false, emptied }) {
    this.state = state;
    this.filter = filter;
    this.bare = bare;
    this.emptied = emptied;
    this.table = one("[data-calls]");
    this.groups = { pinned: one("[data-pinned]", this.table), rest: one("[data-rows]", this.table) };
    this.changes = one("[data-changes]");
    this.count = one("[data-calls-count]");
    this.rows = new Map(); // call → Row
    this.since = new Map(); // call → since when it needs attention
    this.started = false;
    this.changes.addEventListener("click", () => this.apply());
    this.panel = this.table.closest("section");
    whenLeft(this.panel, () => this.settle());
    listening.addEventListener("change", () => this.heard());
  }

  /** Whether sound is due, so that silence on the line means trouble. */
  get streaming() {
    return [...this.state.streams.values()].some((stream) => stream.state === "open" && !stream.paused);
  }

  /** Show the calls that changed; null among them means all. `moved`: order or filter may be another. */
  draw(changed, moved) {
    const all = changed.has(null);
    for (const id of this.rows.keys()) if (!this.state.calls.has(id)) this.remove(id);
    if (moved || all) this.settle();
    for (const [id, row] of this.rows) if (all || changed.has(id)) row.show(row.call);
    this.started = true;
  }

  /** Each second: what ticks, and which ended rows go. */
  second() {
    for (const row of this.rows.values()) row.second();
    this.settle();
  }

  /** Bring the rows into their places, or count what waits while somebody is in the table. */
  settle(always = false) {
    const now = clock.now(); // one moment for what is shown and what is forgotten
    const wanted = this.wanted(now);
    const held = !always && isHeld(this.table, this.panel, this.changes);
    for (const { id } of wanted) if (!this.rows.has(id)) this.add(id);
    if (!held) this.place(wanted, now);
    const waiting = held ? this.waiting(wanted) : 0;
    this.changes.hidden = !waiting;
    if (waiting) text(this.changes, ngettext("%(n)s change waiting: apply", "%(n)s changes waiting: apply", waiting));
    const live = wanted.filter(({ id }) => this.state.calls.get(id).state !== "ended").length;
    text(this.count, live ? ngettext("%(n)s call", "%(n)s calls", live) : "");
    this.emptied(this.rows.size);
  }

  apply() {
    this.settle(true);
    if (document.activeElement === this.changes || document.activeElement === document.body) one("#calls-title").focus();
  }

  /** [{id, pinned}] as they should stand. */
  wanted(now) {
    const shown = [...this.state.calls.values()].filter((call) => this.filter.call(call) && !isOver(call, now));
    for (const id of this.since.keys()) if (!this.isPinned(id)) this.since.delete(id);
    for (const call of shown) if (this.filter.needs(call) && !this.since.has(call.call)) this.since.set(call.call, this.needsSince(call, now));
    const order = (a, b) => a.started_at.localeCompare(b.started_at) || a.call - b.call;
    const [pinned, rest] = [shown.filter((call) => this.since.has(call.call)), shown.filter((call) => !this.since.has(call.call))];
    pinned.sort((a, b) => this.since.get(b.call) - this.since.get(a.call) || order(a, b));
    rest.sort(order);
    return [...pinned.map((call) => ({ id: call.call, pinned: true })), ...rest.map((call) => ({ id: call.call, pinned: false }))];
  }

  needsSince(call, now) {
    const [newest] = this.state.alertsOf(call.call);
    return newest && !call.help ? Date.parse(newest.raised_at) : now;
  }

  isPinned(id) {
    const call = this.state.calls.get(id);
    return Boolean(call) && this.filter.needs(call);
  }

  place(wanted, now) {
    const kept = new Set(wanted.map(({ id }) => id));
    for (const id of this.rows.keys()) if (!kept.has(id)) this.remove(id);
    const last = { pinned: null, rest: null };
    for (const { id, pinned } of wanted) {
      const group = pinned ? "pinned" : "rest";
      last[group] = placeAfter(this.groups[group], this.rows.get(id).element, last[group]);
    }
    this.groups.pinned.hidden = !last.pinned;
    this.forgetEnded(now);
  }

  /** How many rows would go or move. */
  waiting(wanted) {
    const places = new Map(wanted.map(({ id, pinned }) => [id, pinned]));
    return [...this.rows.values()].filter(({ id, element }) => !places.has(id) || places.get(id) !== (element.parentNode === this.groups.pinned)).length;
  }

  forgetEnded(now) {
    for (const call of this.state.calls.values()) {
      if (!isOver(call, now)) continue;
      this.state.forget(call.call);
      const { site } = this.state;
      if (!(site.last_ended_at > call.ended_at)) this.state.site = { ...site, last_ended_at: call.ended_at };
    }
  }

  add(id) {
    const call = this.state.calls.get(id);
    const row = new Row(call, this);
    this.rows.set(id, row);
    if (this.started) row.element.classList.add("is-new");
    this.groups.rest.append(row.element);
    row.show(call);
  }

  remove(id) {
    this.rows.get(id).element.remove();
    this.rows.delete(id);
  }

  /** Levels of one tick: {StreamSid: {inbound, outbound}}. */
  levels(levels, drawn) {
    const heard = new Map(); // call → the levels of its open streams
    for (const [sid, level] of Object.entries(levels)) {
      const stream = this.state.streams.get(sid);
      if (stream?.state !== "open") continue;
      const ours = heard.get(stream.call);
      if (ours) ours.push(level);
      else heard.set(stream.call, [level]);
    }
    for (const [id, ours] of heard) this.rows.get(id)?.hear(ours.length > 1 ? loudest(ours) : ours[0], drawn);
  }

  /** Another call is listened to, or none. */
  heard() {
    const heard = `${listening.call} ${listening.state}`;
    if (heard === this.listened) return;
    this.listened = heard;
    for (const row of this.rows.values()) row.showListen();
  }

  /** The row in which the focus is. */
  focused() {
    return this.rows.get(Number(document.activeElement?.closest?.("[data-call]")?.dataset.call));
  }
}

const isOver = (call, now) => call.state === "ended" && now - Date.parse(call.ended_at) > ENDED_MS;
