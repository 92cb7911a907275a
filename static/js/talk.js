// Who speaks, from levels alone: the text beside the meters. It changes at most once a second.

import { gettext } from "./i18n.js";

export const SPEAKING_DBFS = -45;
const HOLD_MS = 700; // speech has holes between words
const SILENCE_MS = 2_000;
const CHANGE_MS = 1_000;
const LOST_MS = 3_000; // without a frame: whoever does not hear must not say that nobody speaks

export class Talk {
  constructor() {
    this.isVoice = false; // the other side is a voice that answers
    this.spokeAt = { inbound: 0, outbound: 0 };
    this.since = null; // when the first level came
  }

  /** Take the levels of one tick, in dBFS, null where no frame came: of that nothing is known, not even silence. */
  hear(levels) {
    if (levels.inbound === null && levels.outbound === null) return;
    const now = Date.now();
    this.heardAt = now;
    this.since ??= now;
    for (const track of ["inbound", "outbound"]) {
      if (levels[track] !== null && levels[track] > SPEAKING_DBFS) this.spokeAt[track] = now;
    }
  }

  /** {who: "caller" | "agent" | "both" | "", text} to show; it stays for a second. */
  say() {
    const fresh = this.judge();
    const now = Date.now();
    if (!this.shown || this.shown.waiting || (fresh.text !== this.shown.text && now - this.changedAt >= CHANGE_MS)) {
      this.shown = fresh;
      this.changedAt = now;
    }
    return this.shown;
  }

  judge() {
    if (this.since === null) return { who: "", text: gettext("Waiting for sound"), waiting: true };
    const now = Date.now();
    if (now - this.heardAt > LOST_MS) return { who: "", text: gettext("No sound comes"), waiting: true };
    const caller = now - this.spokeAt.inbound < HOLD_MS;
    const agent = now - this.spokeAt.outbound < HOLD_MS;
    if (caller && agent) return { who: "both", text: gettext("Both speaking") };
    if (caller) return { who: "caller", text: gettext("Caller speaking") };
    if (agent) return { who: "agent", text: this.isVoice ? gettext("Voice speaking") : gettext("Agent speaking") };
    const silent = now - Math.max(this.spokeAt.inbound, this.spokeAt.outbound, this.since);
    return { who: "", text: silent < SILENCE_MS ? "" : gettext("Silence %(n)s s", { n: Math.floor(silent / 1000) }) };
  }
}

/** The louder of several levels, null where none came. */
export function loudest(all) {
  const result = { inbound: null, outbound: null };
  for (const levels of all) {
    for (const track of ["inbound", "outbound"]) {
      const value = levels?.[track] ?? null;
      if (value !== null && (result[track] === null || value > result[track])) result[track] = value;
    }
  }
  return result;
}
