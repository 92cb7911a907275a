// The transcript: final lines, holes in the sound, partial lines at the end.

import { seconds } from "../clock.js";
import { all, make, one, text } from "../dom.js";
import { GAPS, SPEAKERS } from "../words.js";
import { speakerOf } from "./pieces.js";

const READ_EVERY_MS = 2_000;
const NEAR = 12; // lines among which the same words of another stream may stand

export class Words {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.place = one("cc-transcript");
    this.reader = new Reader(this.place);
    this.started = false;
  }

  draw() {
    const call = this.state.calls.get(this.id);
    const live = call.state !== "ended";
    const said = [...(this.state.lines.get(this.id)?.values() ?? [])];
    const lines = this.once(said).map(asEntry);
    const entries = [...lines, ...this.gaps()].sort((a, b) => a.at_ms - b.at_ms);
    this.place.show(entries, live ? this.partials(call) : [], { live, empty: this.nothing(call) });
    if (!this.started && live) this.place.toEnd();
    if (this.started) this.reader.hear(lines);
    else this.reader.known(lines);
    this.started = true;
    text(one("[data-line-count]"), lines.length === 1 ? "1 line" : `${lines.length} lines`);
  }

  /** Of two streams that carry the same track the elder one's words are shown. Lines come in order of time. */
  once(said) {
    if (this.state.streamsOf(this.id).length < 2) return said;
    return said.filter((line, n) => {
      const near = said.slice(Math.max(0, n - NEAR), n + NEAR);
      const same = near.filter((other) => other.track === line.track && this.isElder(other, line));
      return !same.some((other) => overlap(other, line) > (line.end_ms - line.start_ms) / 2);
    });
  }

  isElder(one, other) {
    const [first, second] = [one, other].map((line) => this.state.streams.get(line.stream)?.opened_at ?? "");
    return first < second;
  }

  partials(call) {
    const all = [...this.state.partials.values()].filter((line) => line.call === this.id);
    return all
      .filter((line) => !all.some((other) => other.track === line.track && this.isElder(other, line)))
      .map((line) => ({ key: line.utterance, at_ms: null, who: speakerOf(line.track, call), text: line.text }));
  }

  /** Both tracks lose the same sound: what begins within 100 ms is told once. */
  gaps() {
    const told = [];
    for (const gap of [...this.state.gaps.values()].sort((a, b) => a.start_ms - b.start_ms)) {
      const same = told.find((other) => Math.abs(other.at_ms - gap.start_ms) <= 100 && other.cause === gap.cause);
      if (!same && gap.ms >= 100) told.push({ key: `gap-${gap.gap}`, gap: true, cause: gap.cause, at_ms: gap.start_ms, text: sentence(gap) });
    }
    return told;
  }

  nothing(call) {
    if (call.state === "ended") return "Nothing was written down in this call.";
    if (!this.state.openOf(this.id).length) return "Nothing is heard: no stream is open on this call.";
    return "Nothing has been said yet.";
  }
}

const overlap = (a, b) => Math.min(a.end_ms, b.end_ms) - Math.max(a.start_ms, b.start_ms);
const asEntry = (line) => ({ key: line.utterance, at_ms: line.start_ms, who: line.speaker, text: line.text });
const sentence = (gap) => `[${(GAPS[gap.cause] ?? GAPS.lost)(seconds(gap.ms))}]`;

/** Reads new final lines out to who asks for it, joined, at most every two seconds. */
class Reader {
  constructor(place) {
    this.region = make("p", "quiet");
    this.region.setAttribute("aria-live", "polite");
    place.after(this.region);
    this.box = all("[data-read-out]")[0];
    this.seen = new Set();
    this.waiting = [];
  }

  known(lines) {
    for (const line of lines) this.seen.add(line.key);
  }

  hear(lines) {
    for (const line of lines) {
      if (this.seen.has(line.key)) continue;
      this.seen.add(line.key);
      if (this.box.checked) this.waiting.push(`${SPEAKERS[line.who] ?? SPEAKERS.other}: ${line.text}`);
    }
    if (this.waiting.length) this.timer ??= setTimeout(() => this.read(), READ_EVERY_MS);
  }

  read() {
    this.timer = null;
    text(this.region, this.waiting.splice(0).join(" "));
  }
}
