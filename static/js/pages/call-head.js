// Who calls, in what state, for how long; how the sound and the writing down go; who is listening or in the call.

import * as clock from "../clock.js";
import { mark, one, text } from "../dom.js";
import { soundInWords, streamHealth, transcription } from "../health.js";
import { gettext } from "../i18n.js";
import { namesInWords, partnerOf, phaseBadge, phaseOf, showBadge, showBusy, showHealth, showHelp } from "./pieces.js";

const DIRECTIONS = { inbound: gettext("Inbound"), outbound: gettext("Outbound") };

export class Head {
  constructor(state, id, acts) {
    this.state = state;
    this.id = id;
    this.acts = acts;
    this.head = one(".call-head");
    one("[data-help-done]").addEventListener("click", () => acts.do("help.done"));
  }

  draw() {
    const call = this.state.calls.get(this.id);
    const show = (name, value) => text(one(`[data-${name}]`, this.head), value);
    show("caller", call.caller);
    show("phone", call.caller_number === call.caller ? "" : call.caller_number);
    show("line", call.label || call.number || gettext("Unknown"));
    show("number", call.label ? call.number : "");
    show("agent", partnerOf(call, this.nobody(call)));
    show("queue", call.queue);
    one("[data-queue-fact]", this.head).hidden = !call.queue;
    show("direction", DIRECTIONS[call.direction] ?? (call.direction.startsWith("outbound") ? DIRECTIONS.outbound : call.direction));
    show("began", began(call.started_at));
    one("[data-time]", this.head).run(call.answered_at ?? call.started_at, call.ended_at);
    showBadge(one("[data-badge]", this.head), phaseBadge(call));
    this.wait(call);
    this.help(call);
    this.health(call);
    show("present", this.present(call));
  }

  /** How long a caller has waited who is still in a queue. */
  wait(call) {
    const wait = phaseOf(call) === "queued" ? this.state.waitOf(this.id) : undefined;
    const place = one("[data-wait]", this.head);
    place.hidden = !wait;
    if (wait) one("cc-timer", place).run(wait.entered_at);
  }

  help(call) {
    showHelp(one("[data-help]", this.head), call);
    const done = one("[data-help-done]");
    done.hidden = !call.help || call.state === "ended";
    showBusy(done, this.acts.waiting("help.done").length > 0);
  }

  health(call) {
    const words = transcription(this.state, call);
    const health = call.state === "ended" ? this.past() : streamHealth(this.state, call);
    showHealth(one("[data-health]", this.head), health);
    text(one("[data-sound]", this.head), call.state === "ended" ? "" : soundInWords(this.state, call));
    const behind = one("[data-behind]", this.head);
    text(behind, words.word === health.word ? "" : words.word);
    mark(behind, "tone", words.tone);
  }

  isMe({ user }) {
    return user === this.state.me.user;
  }

  /** "You and Ada listen. Ben coaches." */
  /** Who is there in an agent's place, as after a call was taken over from a voice. */
  nobody(call) {
    if (call.state === "ended") return gettext("Nobody");
    const inside = this.state.supervisorOf(this.id);
    if (inside?.state !== "in" || inside.mode !== "join") return gettext("Nobody yet");
    return this.isMe(inside) ? gettext("You") : inside.by;
  }

  present(call) {
    if (call.state === "ended") return this.endedBy(call);
    const listeners = this.state.listenersOf(this.id);
    const names = listeners.map((one) => (this.isMe(one) ? gettext("You") : one.by));
    const inside = this.state.supervisorOf(this.id);
    const parts = [];
    if (names.length === 1) parts.push(this.isMe(listeners[0]) ? gettext("You listen.") : gettext("%(name)s listens.", { name: names[0] }));
    if (names.length > 1) parts.push(gettext("%(names)s listen.", { names: namesInWords(names) }));
    if (inside && !this.isMe(inside)) parts.push(insideInWords(inside)); // one's own part stands in the bar
    return parts.join(" ");
  }

  /** Who cut it off, if somebody did by hand. */
  endedBy() {
    const ends = [...this.state.commands.values()].filter((one) => one.call === this.id && one.kind === "call.end" && one.by);
    const end = ends.find((one) => one.state !== "failed");
    return end ? gettext("%(by)s ended this call.", { by: end.by }) : "";
  }

  past() {
    const streams = this.state.streamsOf(this.id);
    if (!streams.length) return { word: gettext("Was not streamed"), tone: "" };
    const lost = streams.reduce((sum, stream) => sum + stream.lost_ms, 0);
    return lost >= 100 ? { word: gettext("%(time)s lost", { time: clock.seconds(lost) }), tone: "warn" } : { word: gettext("Nothing lost"), tone: "ok" };
  }
}

/** "Ben coaches the agent.", "Ben has joined the call.", "Ben is being connected." */
export function insideInWords({ by, mode, state }) {
  if (state !== "in") return gettext("%(by)s is being connected.", { by });
  return mode === "coach" ? gettext("%(by)s coaches the agent.", { by }) : gettext("%(by)s has joined the call.", { by });
}

function began(at) {
  const day = new Date(at);
  const today = new Date(clock.now()).toDateString() === day.toDateString();
  const time = clock.timeOfDay(at);
  return today ? time : `${day.toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short", year: "numeric" })}, ${time}`;
}
