// The streams of a call: which there are, how much of Twilio's four tracks they take, start and stop.

import * as clock from "../clock.js";
import { ask, newId } from "../control.js";
import { all, make, mark, newIcon, one, text } from "../dom.js";
import { REASONS } from "../words.js";
import { showBadge } from "./pieces.js";

const TRACKS = 4;
const SHOWN_MS = 8_000;

export class Streams {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.list = one("[data-streams]");
    this.items = new Map();
    this.dismissed = new Set();
    this.begunAt = clock.now();
    this.startButton = one("[data-start]");
    this.startButton?.addEventListener("click", () => this.start());
    clock.eachSecond(() => this.notes());
  }

  draw() {
    const streams = this.state.streamsOf(this.id).sort((a, b) => a.opened_at.localeCompare(b.opened_at));
    for (const [sid, item] of this.items) {
      if (!streams.some((stream) => stream.stream === sid)) {
        item.remove();
        this.items.delete(sid);
      }
    }
    for (const stream of streams) this.show(stream);
    const none = one("[data-no-streams]");
    none.hidden = streams.length > 0;
    const ended = this.state.calls.get(this.id).state === "ended";
    text(none, ended ? "This call was not streamed." : "No stream: the sound of this call is not heard here.");
    this.budget();
    this.notes();
  }

  show(stream) {
    const item = this.items.get(stream.stream) ?? this.add(stream);
    const stopping = this.waiting("stream.stop").some((command) => [stream.stream, stream.name].includes(command.stream));
    text(one("[data-name]", item), stream.name);
    showBadge(one("[data-badge]", item), badge(stream, stopping));
    text(one("[data-about]", item), about(stream));
    const stop = one("[data-stop]", item);
    if (!stop) return;
    stop.hidden = stream.state !== "open" || stream.kind !== "tap" || this.state.calls.get(this.id).state === "ended";
    stop.disabled = stopping;
    text(one("[data-stop-name]", stop), ` ${stream.name}`);
  }

  add(stream) {
    const item = one("#stream").content.cloneNode(true).firstElementChild;
    item.dataset.stream = stream.stream;
    one("[data-stop]", item)?.addEventListener("click", () => this.stop(stream));
    this.items.set(stream.stream, item);
    this.list.append(item);
    return item;
  }

  used() {
    const taps = this.state.openOf(this.id).filter((stream) => stream.kind === "tap");
    return taps.reduce((sum, stream) => sum + stream.tracks.length, 0);
  }

  budget() {
    const used = this.used();
    const place = one("[data-budget]");
    text(one("[data-word]", place), `${used} of ${TRACKS} tracks in use`);
    all("i", place).forEach((pip, n) => pip.classList.toggle("is-used", n < used));
    if (!this.startButton) return;
    const starting = this.waiting("stream.start").length > 0;
    const full = used >= TRACKS;
    this.startButton.disabled = starting || full;
    text(one("[data-start-why]"), full ? "All four tracks are in use. Stop a stream first." : starting ? "Starting…" : "");
  }

  waiting(kind) {
    return [...this.state.commands.values()].filter((one) => one.kind === kind && ["pending", "sent"].includes(one.state));
  }

  async start() {
    const dialog = one("#start-dialog");
    if ((await answer(dialog)) !== "yes") return;
    const fields = Object.fromEntries(new FormData(one("form", dialog)));
    const parameters = fields.key ? { [fields.key]: fields.value } : {};
    await this.act("stream.start", { track: fields.track, name: fields.name, parameters }, fields.name);
  }

  async stop(stream) {
    const dialog = one("#stop-dialog");
    text(one("[data-stop-which]", dialog), stream.name);
    if ((await answer(dialog)) === "yes") await this.act("stream.stop", { stream: stream.stream }, stream.stream);
  }

  /** Show at once that it was asked, then what came of it. */
  async act(kind, fields, stream) {
    const id = newId();
    const at = new Date(clock.now()).toISOString();
    this.state.apply({ type: "command", command: id, call: this.id, kind, state: "pending", stream, code: "", text: "", by: "You", created_at: at });
    this.state.apply(await ask(id, this.id, kind, fields));
  }

  /** Commands of this page's time: waiting ones, what failed until it is read, what was done for a while. */
  notes() {
    const place = one("[data-commands]");
    const shown = [...this.state.commands.values()].filter((command) => this.isNews(command));
    const wanted = new Map(shown.map((command) => [command.command, note(command)]));
    for (const element of [...place.children]) {
      const fresh = wanted.get(element.dataset.command);
      if (!fresh || fresh.text !== element.said) element.remove();
      else wanted.delete(element.dataset.command);
    }
    for (const [command, words] of wanted) place.append(this.noteElement(command, words));
  }

  isNews(command) {
    if (this.dismissed.has(command.command) || Date.parse(command.created_at) < this.begunAt - SHOWN_MS) return false;
    return command.state !== "done" || clock.now() - Date.parse(command.settled_at ?? command.created_at) < SHOWN_MS;
  }

  noteElement(command, { text: words, tone }) {
    const element = make("div", `notice ${tone}`);
    element.dataset.command = command;
    element.said = words;
    element.append(make("span", "", words));
    if (tone === "bad") element.append(this.closeButton(command));
    return element;
  }

  closeButton(command) {
    const button = make("button");
    button.type = "button";
    button.setAttribute("aria-label", "Close this message");
    button.append(newIcon("close"));
    button.addEventListener("click", () => {
      this.dismissed.add(command);
      this.notes();
    });
    return button;
  }
}

/** Ask in a dialog; "yes" or "cancel". */
function answer(dialog) {
  dialog.returnValue = "cancel";
  one("[data-cancel]", dialog).onclick = () => dialog.close("cancel");
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

function badge(stream, stopping) {
  if (stream.state !== "open") return { word: "Closed", tone: "", icon: "ended" };
  if (stopping) return { word: "Stopping…", tone: "warn", icon: "ringing" };
  return stream.paused ? { word: "Paused", tone: "warn", icon: "ringing" } : { word: "Running", tone: "ok", icon: "talking" };
}

function about(stream) {
  const parts = [stream.tracks.join(" and "), `from ${clock.timeOfDay(stream.opened_at)}`];
  if (stream.closed_at) parts.push(`to ${clock.timeOfDay(stream.closed_at)} (${REASONS[stream.reason] ?? stream.reason})`);
  if (stream.lost_ms >= 100) parts.push(`${clock.seconds(stream.lost_ms)} lost`);
  if (stream.late) parts.push(`${stream.late} late`);
  return `${parts.join(", ")}.${stream.error ? ` ${stream.error}` : ""}`;
}

function note(command) {
  const start = command.kind === "stream.start";
  const code = /^\d+$/.test(command.code) ? ` (${command.code})` : ""; // Twilio's own; ours say nothing to people
  switch (command.state) {
    case "pending":
    case "sent":
      return { text: start ? "Starting the stream…" : "Stopping the stream…", tone: "" };
    case "done":
      return { text: start ? "Twilio has started the stream." : "Twilio has stopped the stream.", tone: "ok" };
    case "unknown":
      return { text: `Twilio's answer was lost${code}. What became of it is being looked up.`, tone: "warn" };
    default:
      return { text: `${start ? "The stream was not started" : "The stream was not stopped"}: ${command.text}${code}`, tone: "bad" };
  }
}
