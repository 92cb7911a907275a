// Who calls, in what state, for how long.

import * as clock from "../clock.js";
import { one, text } from "../dom.js";
import { streamHealth } from "../health.js";
import { OUTCOMES, STATES } from "../words.js";
import { showBadge, showHealth, showHelp } from "./pieces.js";

export class Head {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.head = one(".call-head");
  }

  draw() {
    const call = this.state.calls.get(this.id);
    const show = (name, value) => text(one(`[data-${name}]`, this.head), value);
    show("caller", call.caller);
    show("phone", call.caller_number === call.caller ? "" : call.caller_number);
    show("line", call.label || call.number || "Unknown");
    show("number", call.label ? call.number : "");
    show("agent", call.agent || (call.state === "ended" ? "Nobody" : "Nobody yet"));
    show("queue", call.queue);
    one("[data-queue-fact]", this.head).hidden = !call.queue;
    showHelp(one("[data-help]", this.head), call);
    show("began", began(call.started_at));
    one("[data-time]", this.head).run(call.answered_at ?? call.started_at, call.ended_at);
    showBadge(one("[data-badge]", this.head), call.state === "ended" ? (OUTCOMES[call.outcome] ?? STATES.ended) : STATES[call.state]);
    showHealth(one("[data-health]", this.head), call.state === "ended" ? this.past() : streamHealth(this.state, call));
  }

  past() {
    const streams = this.state.streamsOf(this.id);
    if (!streams.length) return { word: "Was not streamed", tone: "" };
    const lost = streams.reduce((sum, stream) => sum + stream.lost_ms, 0);
    return lost >= 100 ? { word: `${clock.seconds(lost)} lost`, tone: "warn" } : { word: "Nothing lost", tone: "ok" };
  }
}

function began(at) {
  const day = new Date(at);
  const today = new Date(clock.now()).toDateString() === day.toDateString();
  const time = clock.timeOfDay(at);
  return today ? time : `${day.toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" })}, ${time}`;
}
