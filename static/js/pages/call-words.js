// The transcript: final lines, what happened between them, partial lines at the end.

import { seconds } from "../clock.js";
import { all, make, one, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";
import { saidIn } from "../elements/said.js";
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
    const alarms = this.alarms();
    const lines = this.once(said).map((line) => ({ ...asEntry(line), alarms: alarming(line.text, alarms.get(line.utterance)) }));
    const entries = [...lines, ...this.gaps(), ...this.markers()].sort((a, b) => a.at_ms - b.at_ms);
    this.place.show(entries, live ? this.partials(call) : [], { live, empty: this.nothing(call) });
    if (!this.started && live) this.place.toEnd();
    if (this.started) this.reader.hear(lines);
    else this.reader.known(lines);
    this.started = true;
    text(one("[data-line-count]"), ngettext("%(n)s line", "%(n)s lines", lines.length));
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
      if (!same && gap.ms >= 100) told.push({ key: `gap-${gap.gap}`, kind: "gap", cause: gap.cause, at_ms: gap.start_ms, text: sentence(gap) });
    }
    return told;
  }

  /** Which words may have raised an alert in which line: utterance → {phrases, quotes}. */
  alarms() {
    const found = new Map();
    for (const alert of this.alerts()) {
      if (alert.kind !== "words" || !alert.utterance) continue;
      const { phrases, quotes } = found.get(alert.utterance) ?? { phrases: [], quotes: [] };
      found.set(alert.utterance, { phrases: [...phrases, ...(this.state.phrases?.[alert.name] ?? [])], quotes: [...quotes, bare(alert.quote)] });
    }
    return found;
  }

  /** Marked moments and alerts stand in the line of time. */
  markers() {
    const moments = [...(this.state.moments?.values() ?? [])].filter((one) => one.call === this.id);
    return [...moments.map(momentEntry), ...this.alerts().filter((one) => one.at_ms !== null).map(alertEntry)];
  }

  alerts() {
    return [...(this.state.alerts?.values() ?? [])].filter((one) => one.call === this.id);
  }

  nothing(call) {
    if (call.state === "ended") return gettext("Nothing was written down in this call.");
    if (!this.state.openOf(this.id).length) return gettext("Nothing is heard: no stream is open on this call.");
    return gettext("Nothing has been said yet.");
  }
}

const overlap = (a, b) => Math.min(a.end_ms, b.end_ms) - Math.max(a.start_ms, b.start_ms);
const asEntry = (line) => ({ key: line.utterance, at_ms: line.start_ms, who: line.speaker, text: line.text });
/** The words of a line to mark. A rule may have changed since; then the quote is, unless it is the whole line. */
function alarming(said, alarm) {
  if (!alarm) return undefined;
  const known = alarm.phrases.filter((phrase) => saidIn(said, phrase).length);
  return known.length ? known : alarm.quotes.filter((quote) => quote.length < said.trim().length - 4);
}

/** A quote without its signs and dots. */
const bare = (quote) => quote.replaceAll(/^[\s“”"'‘’…]+|[\s“”"'‘’…]+$/g, "");
export const momentKey = (moment) => `moment-${moment.moment}`;
export const alertKey = (alert) => `alert-${alert.alert}`;

function momentEntry(moment) {
  const { by, text: words } = moment;
  const marked = by ? gettext("Marked by %(by)s", { by }) : gettext("Marked");
  return { key: momentKey(moment), kind: "moment", at_ms: moment.at_ms, text: words ? `${marked}: ${words}` : marked };
}

function alertEntry(alert) {
  const words = gettext("Alert: %(name)s", { name: alert.name });
  const said = alert.quote && alert.kind !== "words" ? `${words}. ${alert.quote}` : words;
  return { key: alertKey(alert), kind: "alert", tone: alert.severity === "critical" ? "bad" : "warn", at_ms: alert.at_ms, text: said };
}

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
