// One row of the wall: what a call is doing, who is in it, how loud, what was said last.

import * as clock from "../clock.js";
import { mark, one, text } from "../dom.js";
import { streamHealth } from "../health.js";
import { gettext } from "../i18n.js";
import { listening } from "../listen.js";
import { Talk } from "../talk.js";
import { inQueue, NO_LINE, SPEAKERS } from "../words.js";
import { partnerOf, showBadge, showHealth, speakerOf } from "./pieces.js";
import { fromTemplate } from "./wall-list.js";
import { alertsBadge, firstName, help, OUTCOMES, PHASES, watcher } from "./wall-words.js";

const OLD_MS = 1_500; // a level that is no longer confirmed is not shown
const NOTHING = { inbound: null, outbound: null };
const PARTS = ["badge", "help", "alerts", "watch", "caller", "phone", "queue", "line", "agent", "time", "talk", "health", "words", "who", "text", "open", "open-name", "listen", "listen-word", "listen-name"];

export class Row {
  /** `bare`: on a screen for everybody, without words, numbers and family names. */
  constructor(call, { state, bare }) {
    this.state = state;
    this.bare = bare;
    this.id = call.call;
    this.talk = new Talk();
    this.element = fromTemplate("row");
    this.element.dataset.call = call.call;
    this.parts = Object.fromEntries(PARTS.map((name) => [name, one(`[data-${name}]`, this.element)]));
    this.meter = one("cc-meter", this.element);
    one(".c-open", this.element).hidden = bare;
    this.parts.open.href = `/calls/${call.call}/`;
    this.parts.listen.addEventListener("click", () => this.listen());
  }

  get call() {
    return this.state.calls.get(this.id);
  }

  show(call) {
    const { element, parts } = this;
    const phase = this.state.phaseOf(call);
    mark(element, "state", call.state);
    mark(element, "phase", phase);
    showBadge(parts.badge, (phase === "ended" && OUTCOMES[call.outcome]) || PHASES[phase] || PHASES.talking);
    this.showPeople(call);
    this.showMarks(call);
    if (call.state === "ended") this.age(call);
    else parts.time.run(call.answered_at ?? call.started_at);
    if (!this.bare) this.showWords(call);
    this.showSound(call);
    this.showListen(call);
  }

  showPeople(call) {
    const { parts, bare } = this;
    const caller = bare ? firstName(call.caller) : call.caller;
    full(parts.caller, caller);
    text(parts.phone, bare || call.caller_number === call.caller ? "" : call.caller_number);
    full(parts.queue, call.queue ? inQueue(call.queue) : "");
    full(parts.agent, partnerOf(call, gettext("No agent yet"), bare ? firstName : undefined));
    full(parts.line, bare ? (call.label ?? "") : call.label || call.number || gettext("Unknown line"));
    text(parts["open-name"], gettext(" the call of %(caller)s", { caller }));
    this.caller = caller;
  }

  showMarks(call) {
    const { parts } = this;
    const live = call.state !== "ended";
    const alerts = live ? this.state.alertsOf(call.call).filter((alert) => !(call.help && alert.kind === "help")) : [];
    const watchers = live ? this.state.watchersOf(call.call).map((one) => watcher(one, this.state.me.user)).join(", ") : "";
    badge(parts.help, live && call.help ? help(this.bare ? "" : call.help) : null);
    badge(parts.alerts, alerts.length ? alertsBadge(alerts) : null);
    parts.watch.hidden = !watchers || this.bare;
    full(one("[data-word]", parts.watch), this.bare ? "" : watchers);
    mark(this.element, "attention", live ? urgency(call, alerts) : "");
  }

  showWords(call) {
    const { parts } = this;
    const partial = call.state === "ended" ? undefined : this.state.lastPartial(call.call);
    const line = partial ?? this.state.lastLine(call.call);
    const speaker = line ? (line.speaker ?? speakerOf(line.track, call)) : "";
    parts.words.classList.toggle("is-partial", Boolean(partial));
    mark(parts.words, "who", speaker);
    text(parts.who, SPEAKERS[speaker] ?? "");
    full(parts.text, line?.text ?? "");
  }

  showSound(call) {
    const streaming = this.streams;
    this.talk.isVoice = Boolean(call.voice);
    showHealth(this.parts.health, streamHealth(this.state, call));
    mark(this.element, "streaming", streaming ? "yes" : "");
    if (!streaming) this.meter.levels = NOTHING;
    this.showTalk();
  }

  get streams() {
    return this.call?.state !== "ended" && this.state.openOf(this.id).length > 0;
  }

  showTalk() {
    const say = this.streams && !this.state.cut ? this.talk.say() : { who: "", text: "" };
    text(this.parts.talk, say.text);
    mark(this.parts.talk, "who", say.who);
  }

  /** The levels of one tick. */
  hear(levels, drawn) {
    this.talk.hear(levels);
    this.heardAt = Date.now();
    if (!drawn) return;
    this.meter.levels = levels;
    this.showTalk();
  }

  /** Each second. */
  second() {
    const { call } = this;
    if (!call) return;
    if (call.state === "ended") this.age(call);
    else this.showTalk();
    if (this.heardAt && Date.now() - this.heardAt > OLD_MS) this.meter.levels = NOTHING;
  }

  age(call) {
    this.parts.time.disconnectedCallback();
    text(this.parts.time, gettext("Ended %(time)s ago", { time: clock.duration(clock.now() - Date.parse(call.ended_at)) }));
  }

  showListen(call = this.call) {
    const { listen } = this.parts;
    listen.hidden = this.bare || !this.state.me.may?.listen;
    if (listen.hidden || !call) return;
    const ours = isOurs(this.id);
    const said = { caller: this.caller };
    text(this.parts["listen-name"], ours ? gettext(" listening to the call of %(caller)s", said) : gettext(" to the call of %(caller)s", said));
    listen.setAttribute("aria-pressed", String(ours));
    listen.disabled = !ours && (this.state.cut || !this.streams);
    listen.title = !listen.disabled ? "" : this.state.cut ? NO_LINE : gettext("There is no sound to hear: no stream is open.");
    text(this.parts["listen-word"], ours ? gettext("Stop") : gettext("Listen"));
  }

  listen() {
    const { call } = this;
    if (!call || this.parts.listen.hidden || this.parts.listen.disabled) return;
    if (isOurs(this.id)) listening.stop();
    else listening.start({ call: call.call, caller: call.caller, agent: partnerOf(call, "") });
  }
}

/** "bad" for who asks for help and for a critical alert, "warn" for a warning, "" for neither. */
function urgency(call, alerts) {
  if (call.help || alerts.some((alert) => alert.severity === "critical")) return "bad";
  return alerts.length ? "warn" : "";
}

const HEARD = new Set(["connecting", "live", "suspended"]);
const isOurs = (id) => listening.call === id && HEARD.has(listening.state);

/** Text that may be cut off, and whole in its title. */
function full(element, value) {
  text(element, value);
  if (element.title !== value) element.title = value;
}

function badge(element, shown) {
  element.hidden = !shown;
  if (!shown) return;
  showBadge(element, shown);
  if (element.title !== shown.word) element.title = shown.word; // the place may be too narrow for it
}
