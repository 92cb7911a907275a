// Notes on the call: mine, saved every two seconds while I type and kept in this browser while they cannot be; others'.

import { timeOfDay } from "../clock.js";
import { keep, kept, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { fill, noteOf } from "./desk-pieces.js";

const SAVE_MS = 2_000;
const AGAIN_MS = 5_000;

export class Notes {
  constructor(state, id, acts) {
    this.state = state;
    this.acts = acts;
    this.id = id;
    this.key = `call-note-${id}`;
    this.field = one("[data-note]");
    this.saved = one("[data-saved]");
    this.sent = null; // what the server has of mine; null until it is known
    this.field.addEventListener("input", () => this.typed());
    addEventListener("online", () => this.waits() && this.save());
  }

  draw() {
    const notes = [...this.state.notes.values()].filter((note) => note.call === this.id);
    const mine = notes.find((note) => this.isMine(note));
    const others = notes.filter((note) => note !== mine && note.text);
    if (this.sent === null) this.begin(mine?.text ?? "");
    else if (!this.waits() && !this.saving && document.activeElement !== this.field) this.put(mine?.text ?? "");
    fill(one("[data-other-notes]"), others.map(({ by, text: words, updated_at: at }) => ({ by, text: words, at })), noteOf);
  }

  isMine(note) {
    if (note.note === this.own) return true;
    return note.user === undefined ? note.by === this.state.me.name : note.user === this.state.me.user;
  }

  /** What this browser kept, because it could not be saved, goes before what the server has. */
  begin(words) {
    this.sent = words;
    this.field.value = kept(this.key) ?? words;
    if (this.waits()) this.soon(0);
  }

  put(words) {
    this.sent = words;
    if (this.field.value !== words) this.field.value = words;
  }

  waits() {
    return this.sent !== null && this.field.value !== this.sent;
  }

  typed() {
    keep(this.key, this.field.value);
    text(this.saved, gettext("Not saved yet"));
    this.soon(SAVE_MS);
  }

  soon(ms) {
    this.timer ??= setTimeout(() => this.save(), ms);
  }

  async save() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.saving || !this.waits()) return;
    const words = this.field.value;
    this.saving = true;
    const done = await this.acts.do("note", { text: words }, { failed: (error) => this.failed(error) });
    this.saving = false;
    if (done) this.done(words, done);
    if (this.waits()) this.soon(done ? SAVE_MS : AGAIN_MS);
  }

  failed({ code, text: why }) {
    const kept = gettext("Not saved yet; kept in this browser.");
    text(this.saved, code === "offline" ? kept : `${kept} ${why}`);
  }

  done(words, answer) {
    this.own = answer.note ?? this.own;
    this.sent = words;
    if (this.field.value === words) forget(this.key);
    text(this.saved, this.waits() ? gettext("Not saved yet") : gettext("Saved %(time)s", { time: timeOfDay(Date.now()) }));
  }
}

function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    // nothing was kept
  }
}
