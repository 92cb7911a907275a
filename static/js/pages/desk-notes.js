// Notes on the call at hand: saved every two seconds while one types, kept in this browser while they cannot be.

import { timeOfDay } from "../clock.js";
import { keep, kept, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { fill, noteOf } from "./desk-pieces.js";

const SAVE_MS = 2_000;
const AGAIN_MS = 5_000;
const key = (call) => `desk-note-${call}`;

export class Notes {
  constructor(desk) {
    this.desk = desk;
    this.panel = one(".desk-side [data-notes]");
    this.field = one("[data-note]", this.panel);
    this.saved = one("[data-saved]", this.panel);
    this.call = null;
    this.field.addEventListener("input", () => this.typed());
    addEventListener("online", () => this.waits() && this.save());
  }

  /** `call` is the id of the call whose notes are open; the context is null where the server tells nothing of it. */
  draw(call, context) {
    this.panel.hidden = call === null || !context;
    if (this.panel.hidden) return;
    if (call !== this.call) this.change(call, context.note ?? "");
    else if (!this.waits() && document.activeElement !== this.field) this.put(context.note ?? "");
    fill(one("[data-other-notes]", this.panel), context.notes ?? [], noteOf);
  }

  /** Another call: what was not saved of the last one is sent, what this browser kept of the new one is taken up. */
  change(call, note) {
    if (this.waits()) this.save();
    this.call = call;
    this.sent = note;
    this.put(kept(key(call)) ?? note);
    text(this.saved, "");
    if (this.waits()) this.soon(0);
  }

  put(note) {
    if (this.field.value !== note) this.field.value = note;
    this.sent = this.waits() ? this.sent : note;
  }

  waits() {
    return this.call !== null && this.field.value !== this.sent;
  }

  typed() {
    keep(key(this.call), this.field.value);
    text(this.saved, gettext("Not saved yet"));
    this.soon(SAVE_MS);
  }

  soon(ms) {
    this.timer ??= setTimeout(() => this.save(), ms);
  }

  async save() {
    clearTimeout(this.timer);
    this.timer = null;
    const [call, note] = [this.call, this.field.value];
    if (call === null || note === this.sent) return;
    let refused = "";
    const done = await this.desk.act("note", { call, text: note }, { failed: (error) => (refused = error.code === "offline" ? "" : ` (${error.text})`) });
    if (done) forget(call, note);
    if (call !== this.call) return;
    if (done) this.sent = note;
    text(this.saved, done && !this.waits() ? gettext("Saved %(time)s", { time: timeOfDay(Date.now()) }) : gettext("Not saved yet") + refused);
    if (this.waits()) this.soon(done ? SAVE_MS : AGAIN_MS);
  }
}

/** What was saved need not be kept here, unless more was typed meanwhile. */
function forget(call, note) {
  try {
    if (localStorage.getItem(key(call)) === note) localStorage.removeItem(key(call));
  } catch {
    // nothing was kept
  }
}
