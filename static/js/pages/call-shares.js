// Who talks how much since the stream began, how often both at once, how long nobody.

import { duration, timeOfDay } from "../clock.js";
import { one, text } from "../dom.js";
import { gettext } from "../i18n.js";

export class Shares {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.panel = one("[data-shares]");
  }

  draw() {
    const { stream, talk } = this.figures();
    const show = (name, value) => text(one(`[data-${name}]`, this.panel), value);
    const spoken = talk.inbound_ms + talk.outbound_ms;
    const caller = spoken ? Math.round((100 * talk.inbound_ms) / spoken) : 0;
    this.bar(spoken ? caller : null);
    show("share", spoken ? gettext("Caller %(caller)s %, agent %(agent)s %", { caller, agent: 100 - caller }) : gettext("Nobody has spoken yet"));
    show("overtalk", stream ? this.part(talk.both_ms, talk) : "–");
    show("silent", stream ? this.part(talk.silent_ms, talk) : "–");
    show("now-silent", !stream ? "–" : talk.silence_ms >= 1000 ? duration(talk.silence_ms) : gettext("no"));
    show("since", stream ? gettext("Since the stream began at %(time)s", { time: timeOfDay(stream.opened_at) }) : gettext("No figures yet"));
  }

  /** Those of the elder open stream that has some: both carry the same call. */
  figures() {
    for (const stream of this.state.openOf(this.id)) {
      const talk = this.state.health.get(stream.stream)?.talk;
      if (talk) return { stream, talk };
    }
    return { stream: null, talk: { inbound_ms: 0, outbound_ms: 0, both_ms: 0, silent_ms: 0, silence_ms: 0 } };
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
