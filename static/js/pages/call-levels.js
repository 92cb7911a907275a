// The meters of one call: bars, figures in dBFS, the last 60 seconds, and who speaks in words.

import { one, mark, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { loudest, Talk } from "../talk.js";
import { SPEAKERS } from "../words.js";

const OLD_MS = 1_500; // a level that is no longer confirmed is not shown

export class Levels {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.talk = new Talk();
    this.meter = one("cc-meter");
    this.strip = one("cc-strip");
  }

  /** Who is on the other side: a voice, while one has the call. */
  draw() {
    this.talk.isVoice = Boolean(this.state.calls.get(this.id).voice);
    text(one("[data-other-side]"), this.talk.isVoice ? SPEAKERS.voice : SPEAKERS.agent);
  }

  hear(levels) {
    const level = loudest(this.state.openOf(this.id).map((stream) => levels[stream.stream]).filter(Boolean));
    this.talk.hear(level);
    this.meter.levels = level;
    this.strip.push(level);
    this.level = level;
    this.heardAt = Date.now();
    this.showTalk(this.talk.say());
  }

  showTalk(say) {
    const place = one("[data-talk]");
    text(place, say.text);
    mark(place, "who", say.who);
  }

  /** Figures change once a second: nobody reads ten in one. */
  second() {
    const call = this.state.calls.get(this.id);
    const open = call?.state !== "ended" && this.state.openOf(this.id).length > 0;
    if (this.level && (!open || Date.now() - this.heardAt > OLD_MS)) this.hearNothing();
    this.showTalk(this.saying(open));
    this.strip.second();
    for (const track of ["inbound", "outbound"]) {
      const value = this.level?.[track] ?? null;
      text(one(`[data-dbfs="${track}"]`), value === null ? "–" : `${value.toFixed(1)} dBFS`.replace("-", "−"));
    }
  }

  saying(open) {
    if (this.state.cut) return { who: "", text: gettext("Not known now") };
    return open ? this.talk.say() : { who: "", text: gettext("No stream") };
  }

  hearNothing() {
    this.level = { inbound: null, outbound: null };
    this.meter.levels = this.level;
  }
}
