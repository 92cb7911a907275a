// What is asked of the call from this page: shown at once as asked, then as what came of it.

import * as clock from "../clock.js";
import { ask, newId } from "../control.js";
import { make, newIcon, one } from "../dom.js";
import { gettext } from "../i18n.js";
import { OF_NOUNS, SAID } from "./call-said.js";

const SHOWN_MS = 8_000;
const OPEN = ["pending", "sent"];

export class Acts {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.place = one("[data-commands]");
    this.rows = new Map(); // what was asked here and is not answered yet, or was refused: id → command
    this.mine = new Set(); // commands that were asked here
    this.told = []; // sentences of this page's own: {key, text, tone, code}
    this.dismissed = new Set();
    this.begunAt = clock.now();
    clock.eachSecond(() => this.draw());
  }

  /**
   * Ask the server. Resolves to what it answered, or to null when it was not done, which is told, or given to
   * `failed({code, text})`. `stream` names the stream that is meant.
   */
  async do(kind, fields = {}, { stream = "", failed = null } = {}) {
    const id = newId();
    const at = new Date(clock.now()).toISOString();
    this.rows.set(id, { command: id, call: this.id, kind, state: "pending", stream, code: "", text: "", created_at: at });
    this.mine.add(id);
    this.changed();
    const answered = await ask(id, this.id, kind, fields);
    if (answered.refused) return this.refused(id, kind, answered, failed);
    this.rows.delete(id);
    if (!this.isOvertaken(id, answered)) this.state.apply(answered);
    this.changed();
    return answered.type === "command" && answered.state === "failed" ? null : answered;
  }

  /** Whether the line has told already what came of it: the answer to the question is then the older word. */
  isOvertaken(id, answered) {
    const known = this.state.commands.get(id);
    return answered.type === "command" && OPEN.includes(answered.state) && Boolean(known) && !OPEN.includes(known.state);
  }

  /** It was never written down, so no event tells of it. */
  refused(id, kind, { code, text }, failed) {
    const { created_at: at } = this.rows.get(id);
    failed?.({ code, text });
    if (failed) this.rows.delete(id);
    else this.rows.set(id, { command: id, call: this.id, kind, state: "failed", code, text, created_at: at });
    this.changed();
    return null;
  }

  /** Tell a sentence here; one with the same key takes its place, "" takes it away. */
  tell(key, text, { tone = "bad", code = "" } = {}) {
    this.told = this.told.filter((one) => one.key !== key);
    this.dismissed.delete(key);
    if (text) this.told.push({ key, text, tone, code, at: clock.now() });
    this.draw();
  }

  /** Commands that were asked and are not settled, of one of these kinds. */
  waiting(...kinds) {
    const all = [...this.rows.values(), ...this.state.commands.values()].filter((one) => one.call === this.id);
    return all.filter((one) => kinds.includes(one.kind) && OPEN.includes(one.state));
  }

  changed() {
    this.state.tell(this.id);
    this.draw();
  }

  draw() {
    const shown = [...this.commands(), ...this.told.filter((one) => this.lasts(one))].slice(-4);
    const wanted = new Map(shown.map((note) => [note.key, note]));
    for (const element of [...this.place.children]) {
      const fresh = wanted.get(element.dataset.command);
      if (!fresh || fresh.text !== element.said) element.remove();
      else wanted.delete(element.dataset.command);
    }
    for (const note of wanted.values()) this.place.append(this.element(note));
  }

  lasts({ key, tone, at }) {
    return !this.dismissed.has(key) && (tone === "bad" || clock.now() - at < SHOWN_MS);
  }

  /** Waiting ones, what failed until it is read, what was done for a while. */
  commands() {
    const all = new Map([...this.rows, ...this.state.commands]);
    return [...all.values()].filter((command) => this.isNews(command)).map(noteOf).filter((note) => note.text);
  }

  isNews(command) {
    if (command.call !== this.id || this.dismissed.has(command.command)) return false;
    if (!this.mine.has(command.command) && !command.kind.startsWith("stream.")) return false; // others' own affair
    if (Date.parse(command.created_at) < this.begunAt - SHOWN_MS) return false;
    return command.state !== "done" || clock.now() - Date.parse(command.settled_at ?? command.created_at) < SHOWN_MS;
  }

  element({ key, text, tone, code }) {
    const element = make("div", `notice ${tone}`);
    element.dataset.command = key;
    element.said = text;
    const words = make("span", "", text);
    if (code) words.append(" ", make("small", "code", String(code)));
    element.append(words);
    if (tone === "bad") element.append(this.closeButton(key));
    return element;
  }

  closeButton(key) {
    const button = make("button");
    button.type = "button";
    button.setAttribute("aria-label", gettext("Close this message"));
    button.append(newIcon("close"));
    button.addEventListener("click", () => {
      this.dismissed.add(key);
      this.rows.delete(key);
      this.draw();
    });
    return button;
  }
}

/** {key, text, tone, code} of a command. Codes in figures are Twilio's own; ours say nothing to people. */
function noteOf({ command: key, kind, state, text, code }) {
  const said = SAID[kind] ?? { failed: (words) => words };
  const shown = /^\d+$/.test(code ?? "") ? code : "";
  if (OPEN.includes(state)) return { key, text: said.asked ?? "", tone: "" };
  if (state === "done") return { key, text: OF_NOUNS.has(kind) ? "" : (said.done ?? ""), tone: "ok" };
  if (state === "unknown") {
    return { key, text: gettext("Twilio's answer was lost. What became of it is being looked up."), tone: "warn", code: shown };
  }
  return { key, text: said.failed(text), tone: "bad", code: shown };
}
