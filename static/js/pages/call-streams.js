// The streams of a call: which there are, how much of Twilio's four tracks they take, start and stop.

import * as clock from "../clock.js";
import { all, one, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";
import { REASONS } from "../words.js";
import { answer } from "./call-ask.js";
import { showBadge } from "./pieces.js";

const TRACKS = 4;

export class Streams {
  constructor(state, id, acts) {
    this.state = state;
    this.id = id;
    this.acts = acts;
    this.list = one("[data-streams]");
    this.items = new Map();
    this.startButton = one("[data-start]");
    this.startButton?.addEventListener("click", () => this.start());
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
    text(none, ended ? gettext("This call was not streamed.") : gettext("No stream is open: this call is neither heard nor written down."));
    this.budget();
  }

  show(stream) {
    const item = this.items.get(stream.stream) ?? this.add(stream);
    const stopping = this.acts.waiting("stream.stop").some((command) => [stream.stream, stream.name].includes(command.stream));
    text(one("[data-name]", item), stream.name);
    showBadge(one("[data-badge]", item), badge(stream, stopping));
    text(one("[data-about]", item), about(stream));
    const stop = one("[data-stop]", item);
    if (!stop) return;
    stop.hidden = stream.state !== "open" || stream.kind !== "tap" || this.state.calls.get(this.id).state === "ended";
    stop.disabled = stopping || this.state.cut;
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
    const besides = this.state.openOf(this.id).some((stream) => stream.kind === "voice");
    const words = besides
      ? gettext("%(used)s of %(all)s tracks in use; the voice's stream takes none", { used, all: TRACKS })
      : gettext("%(used)s of %(all)s tracks in use", { used, all: TRACKS });
    text(one("[data-word]", place), words);
    all("i", place).forEach((pip, n) => pip.classList.toggle("is-used", n < used));
    if (!this.startButton) return;
    const starting = this.acts.waiting("stream.start").length > 0;
    const full = used >= TRACKS;
    this.startButton.disabled = starting || full || this.state.cut;
    text(one("[data-start-why]"), full ? gettext("All four tracks are in use. Stop a stream first.") : starting ? gettext("Starting…") : "");
  }

  async start() {
    const dialog = one("#start-dialog");
    if ((await answer(dialog)) !== "yes") return;
    const fields = Object.fromEntries(new FormData(one("form", dialog)));
    const parameters = fields.key ? { [fields.key]: fields.value } : {};
    await this.acts.do("stream.start", { track: fields.track, name: fields.name, parameters }, { stream: fields.name });
  }

  async stop(stream) {
    const dialog = one("#stop-dialog");
    text(one("[data-stop-which]", dialog), gettext("Stream %(name)s", { name: stream.name }));
    if ((await answer(dialog)) === "yes") await this.acts.do("stream.stop", { stream: stream.stream }, { stream: stream.stream });
  }
}

function badge(stream, stopping) {
  if (stream.state !== "open") return { word: gettext("Closed"), tone: "", icon: "ended" };
  if (stopping) return { word: gettext("Stopping…"), tone: "warn", icon: "ringing" };
  return stream.paused ? { word: gettext("Paused"), tone: "warn", icon: "ringing" } : { word: gettext("Running"), tone: "ok", icon: "talking" };
}

function about(stream) {
  const parts = [stream.tracks.join(gettext(" and ")), gettext("from %(time)s", { time: clock.timeOfDay(stream.opened_at) })];
  if (stream.closed_at) parts.push(gettext("to %(time)s (%(reason)s)", { time: clock.timeOfDay(stream.closed_at), reason: REASONS[stream.reason] ?? stream.reason }));
  if (stream.lost_ms >= 100) parts.push(gettext("%(time)s lost", { time: clock.seconds(stream.lost_ms) }));
  if (stream.late) parts.push(ngettext("%(n)s late", "%(n)s late", stream.late));
  return `${parts.join(", ")}.${stream.error ? ` ${stream.error}` : ""}`;
}
