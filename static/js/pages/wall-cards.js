// The figures above the wall. A card that cannot be computed shows "–" and why.

import * as clock from "../clock.js";
import { mark, one, text } from "../dom.js";

const WORDS_WARN_MS = 1_500;
const WORDS_BAD_MS = 5_000;

export class Cards {
  constructor(state) {
    this.state = state;
  }

  draw() {
    const live = [...this.state.calls.values()].filter((call) => call.state !== "ended");
    this.show("calls", this.calls(live));
    this.show("longest", this.longest(live));
    this.show("streams", this.streams(live));
    this.show("words", this.words(live));
  }

  show(name, { value, note = "", tone = "" }) {
    const card = one(`[data-card="${name}"]`);
    text(one(".card-value", card), value);
    text(one(".card-note", card), note);
    mark(card, "tone", tone);
  }

  calls(live) {
    const ringing = live.filter((call) => call.state === "ringing").length;
    return { value: String(live.length - ringing), note: ringing ? `${ringing} ringing` : "None ringing" };
  }

  longest(live) {
    const first = live.filter((call) => call.state === "live").sort(byStart)[0];
    if (!first) return { value: "–", note: "No call in progress" };
    return { value: clock.duration(clock.now() - Date.parse(start(first))), note: `${first.caller}` };
  }

  streams(live) {
    const open = live.flatMap((call) => this.state.openOf(call.call));
    const without = live.filter((call) => call.state === "live" && !this.state.openOf(call.call).length).length;
    if (without) return { value: String(open.length), note: `${calls(without)} without a stream`, tone: "warn" };
    return { value: String(open.length), note: open.length ? "Every call is streamed" : "No call to stream" };
  }

  words(live) {
    const open = live.flatMap((call) => this.state.openOf(call.call));
    const behind = open.map((stream) => this.state.health.get(stream.stream)?.behind_ms).filter(Number.isFinite);
    if (!open.length) return { value: "–", note: "Nothing to write down" };
    if (!behind.length) return { value: "–", note: "No figure has come yet" };
    const most = Math.max(...behind);
    const tone = most > WORDS_BAD_MS ? "bad" : most > WORDS_WARN_MS ? "warn" : "";
    return { value: clock.seconds(most), note: tone ? "Lines come late" : "The slowest of all streams", tone };
  }
}

const calls = (count) => (count === 1 ? "1 call" : `${count} calls`);
const start = (call) => call.answered_at ?? call.started_at;
const byStart = (a, b) => Date.parse(start(a)) - Date.parse(start(b));
