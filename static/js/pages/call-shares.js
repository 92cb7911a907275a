// Who talks how much in all that was heard of the call, how often both at once, how long nobody.

import { duration, timeOfDay } from "../clock.js";
import { one, text } from "../dom.js";
import { gettext } from "../i18n.js";

const NOTHING = { inbound_ms: 0, outbound_ms: 0, both_ms: 0, silent_ms: 0 };

export class Shares {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.panel = one("[data-shares]");
  }

  draw() {
    const { stream, heard, talk } = this.figures();
    const show = (name, value) => text(one(`[data-${name}]`, this.panel), value);
    const spoken = talk.inbound_ms + talk.outbound_ms;
    const caller = spoken ? Math.round((100 * talk.inbound_ms) / spoken) : 0;
    this.bar(spoken ? caller : null);
    show("share", spoken ? this.inWords(caller) : gettext("Nobody has spoken yet"));
    show("overtalk", heard ? this.part(talk.both_ms, talk) : "–");
    show("silent", heard ? this.part(talk.silent_ms, talk) : "–");
    show("now-silent", !stream || this.state.cut ? "–" : talk.silence_ms >= 1000 ? duration(talk.silence_ms) : gettext("no"));
    show("since", this.since(heard, stream));
  }

  inWords(caller) {
    if (this.state.calls.get(this.id)?.voice) return gettext("Caller %(caller)s %, voice %(voice)s %", { caller, voice: 100 - caller });
    return gettext("Caller %(caller)s %, agent %(agent)s %", { caller, agent: 100 - caller });
  }

  since(heard, stream) {
    if (!heard) return gettext("No figures yet");
    const time = timeOfDay(heard.opened_at);
    if (!stream) return gettext("Heard from %(time)s on; no stream is open now", { time });
    return stream === heard ? gettext("Since the stream began at %(time)s", { time }) : gettext("Since %(time)s, while a stream was open", { time });
  }

  /** Of the open stream as it goes on, and of those before it. */
  figures() {
    const { stream, talk } = this.now();
    const past = this.past(stream);
    const sum = (name) => past.reduce((total, one) => total + one.talk[name], talk[name]);
    const all = Object.fromEntries(Object.keys(NOTHING).map((name) => [name, sum(name)]));
    return { stream, heard: past[0] ?? stream, talk: { ...all, silence_ms: talk.silence_ms ?? 0 } };
  }

  /** The elder open stream that has figures: both carry the same call. */
  now() {
    for (const stream of this.state.openOf(this.id)) {
      const talk = this.state.health.get(stream.stream)?.talk;
      if (talk) return { stream, talk };
    }
    return { stream: null, talk: NOTHING };
  }

  /** Closed streams that heard the call one after the other, up to that one. */
  past(stream) {
    const closed = this.state.streamsOf(this.id).filter((one) => one.state === "closed" && one.talk);
    closed.sort((a, b) => a.opened_at.localeCompare(b.opened_at));
    const found = [];
    for (const one of closed) {
      const isBefore = !stream || one.closed_at <= stream.opened_at;
      if (isBefore && !(found.at(-1)?.closed_at > one.opened_at)) found.push(one);
    }
    return found;
  }

  /** "00:12 (8 %)": of all the time in which we heard the call. */
  part(ms, { inbound_ms: caller, outbound_ms: agent, both_ms: both, silent_ms: silent }) {
    const whole = caller + agent - both + silent;
    return whole > 0 ? `${duration(ms)} (${Math.round((100 * ms) / whole)} %)` : duration(ms);
  }

  bar(caller) {
    const [left, right] = [one("[data-bar=caller]", this.panel), one("[data-bar=agent]", this.panel)];
    left.setAttribute("width", String(caller ?? 0));
    right.setAttribute("x", String(caller ?? 0));
    right.setAttribute("width", String(caller === null ? 0 : 100 - caller));
  }
}
