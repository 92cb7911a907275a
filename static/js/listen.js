// Listening to a live call: one socket, one audio context and one worklet for the page, wherever it is asked for.
//
// States: off, connecting, live, suspended (the browser wants a click before it sounds), failed. "change" is told
// when anything that can be read here has changed. It goes on by itself on the tab's next page.

import * as clock from "./clock.js";
import { keep, kept } from "./dom.js";
import { gettext } from "./i18n.js";

const STORE = "listening";
const PATIENCE_MS = 5_000;
const NEXT_PAGE_MS = 60_000; // sound that comes by itself after that would be a surprise
const CAP_MS = 15_000;
const DEAD_MS = 35_000; // a beat comes each 15 s
const HELD_UP_MS = 2_000; // without a frame
const SPOKEN_MS = 10_000; // how long it stands there that sound was left out
const FRAME_BYTES = 172;
const ACK_EVERY = 10;
const RESTARTS = new Set([1001, 1012, 4012]);
const reasons = () => ({
  4400: gettext("The server no longer understands this page. Reload it."),
  4401: gettext("You were signed out."),
  4403: gettext("Your account may not listen to calls."),
  4404: gettext("This call is not there, or no longer yours to hear."),
  4409: gettext("You listen to this call in another tab."),
  4410: gettext("Two people listen to this call already."),
  4413: gettext("The server no longer understands this page. Reload it."),
});

class Listening extends EventTarget {
  state = "off";
  call = null;
  caller = "";
  agent = "";
  reason = ""; // why it failed or ended, for people
  waiting = ""; // why no sound comes although all is well
  behindMs = null; // how old the sound is that one hears
  dropped = 0; // ms left out since it began, on the way or here
  lately = 0; // the same within the last seconds, for people
  report = null; // the worklet's last
  #volume = number(kept("listen-volume"), 1);
  #balance = number(kept("listen-balance"), 0);
  #muted = false;
  #worklet = "/static/js/listen-worklet.js";
  #user = "";
  #context = null;
  #node = null;
  #socket = null;
  #told = "";
  #attempts = 0;
  #unacknowledged = 0;
  #skipped = 0;
  #droppedAt = 0;
  #askedAt = 0;
  #heardAt = 0;
  #frameAt = 0;
  #cutAt = 0; // the last frame before the line broke
  #timer = null;

  constructor() {
    super();
    addEventListener("online", () => this.#timer !== null && this.#open());
    addEventListener("pagehide", () => this.#leave());
    addEventListener("pageshow", (event) => event.persisted && this.restore());
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.#wake(), true);
    clock.eachSecond(() => this.#look());
  }

  /** From a click or a key: hear this call, and no other. */
  start({ call, caller = "", agent = "" }) {
    if (this.call === call && ["connecting", "live"].includes(this.state)) return;
    this.#end();
    Object.assign(this, { call, caller, agent });
    this.#muted = false;
    this.#begin();
    this.#open();
  }

  stop() {
    this.#end();
    Object.assign(this, { call: null, caller: "", agent: "", reason: "" });
    this.#forget();
    this.#become("off");
  }

  /** From a click: let the browser sound again. */
  resume() {
    this.#context?.resume();
  }

  /** From a click, after it failed. */
  retry() {
    const { call, caller, agent } = this;
    if (call !== null) this.start({ call, caller, agent });
  }

  get volume() {
    return this.#volume;
  }

  set volume(value) {
    this.#volume = Math.min(1, Math.max(0, value));
    keep("listen-volume", this.#volume);
    this.#mix();
  }

  /** -1 the caller alone, 0 both alike, 1 the agent alone. */
  get balance() {
    return this.#balance;
  }

  set balance(value) {
    this.#balance = Math.min(1, Math.max(-1, value));
    keep("listen-balance", this.#balance);
    this.#mix();
  }

  get muted() {
    return this.#muted;
  }

  set muted(on) {
    this.#muted = on;
    this.#remember();
    this.#mix();
  }

  /** What the page knows: where the worklet is, and whose browser this is. */
  configure({ worklet, user }) {
    this.#worklet = worklet;
    this.#user = user;
  }

  /** Go on with what this tab heard on the page before. */
  restore() {
    const before = this.#remembered();
    if (!before || this.state !== "off") return;
    Object.assign(this, { call: before.call, caller: before.caller, agent: before.agent });
    this.#muted = before.muted;
    this.#begin();
    this.#context?.resume();
    if (this.#context?.state === "running") this.#open();
    else setTimeout(() => this.#turned(), 400); // it may take a moment to run; else it wants a click
  }

  // sound

  #begin() {
    Object.assign(this, { reason: "", waiting: "", behindMs: null, dropped: 0, lately: 0, report: null });
    this.#skipped = 0;
    this.#cutAt = 0;
    this.#attempts = 0;
    this.#askedAt = Date.now();
    this.#become("connecting");
    this.#remember();
    if (!window.AudioContext || !("audioWorklet" in AudioContext.prototype)) {
      this.#fail(gettext("This browser cannot play the sound. It takes an https address and a recent browser."));
      return;
    }
    this.#context = new AudioContext({ latencyHint: "interactive" });
    this.#context.onstatechange = () => this.#turned();
    this.#play(this.#context);
  }

  async #play(context) {
    try {
      await context.audioWorklet.addModule(this.#worklet);
      if (context !== this.#context) return;
      const node = new AudioWorkletNode(context, "call-listener", { numberOfInputs: 0, outputChannelCount: [2] });
      node.port.onmessage = ({ data }) => node === this.#node && this.#learn(data);
      node.connect(context.destination);
      this.#node = node;
      this.#mix();
    } catch {
      if (context === this.#context) this.#fail(gettext("The sound could not be started. Reload the page."));
    }
  }

  #mix() {
    const volume = this.#muted ? 0 : this.#volume;
    const gains = [Math.min(1, 1 - this.#balance), Math.min(1, 1 + this.#balance)];
    this.#node?.port.postMessage({ gains: gains.map((gain) => gain * volume) });
    this.#tell();
  }

  /** The audio context runs, or does not any more. */
  #turned() {
    if (!this.#context || ["off", "failed"].includes(this.state)) return;
    if (this.#context.state !== "running") {
      this.#become("suspended");
    } else {
      if (this.state === "suspended") this.#become("connecting");
      this.#askedAt = Date.now();
      if (!this.#socket && this.#timer === null) this.#open();
    }
  }

  /** Any click or key will do, if the browser waits for one. */
  #wake() {
    if (this.state === "suspended") this.#context?.resume();
  }

  #learn(report) {
    this.report = report;
    this.#lose(report.skipped - this.#skipped);
    this.#skipped = report.skipped;
    const out = (this.#context.outputLatency || this.#context.baseLatency || 0) * 1000;
    this.behindMs = report.playing === null ? null : Math.max(0, Math.round(clock.now() - report.playing + out));
    this.#tell();
  }

  #lose(ms) {
    if (ms <= 0) return;
    this.dropped += ms;
    this.lately += ms;
    this.#droppedAt = Date.now();
  }

  // the line

  #open() {
    clearTimeout(this.#timer);
    this.#timer = null;
    if (this.call === null || this.state === "failed" && !this.#context) return;
    const secure = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${secure}://${location.host}/ws/calls/${this.call}/audio/`);
    socket.binaryType = "arraybuffer";
    this.#drop();
    this.#socket = socket;
    this.#told = "";
    this.#unacknowledged = 0;
    this.#heardAt = Date.now();
    socket.onopen = () => socket.send('{"type":"hello"}');
    socket.onmessage = ({ data }) => socket === this.#socket && this.#hear(socket, data);
    socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
  }

  #hear(socket, data) {
    this.#heardAt = Date.now();
    this.#attempts = 0;
    if (data instanceof ArrayBuffer) this.#sound(socket, data);
    else this.#word(JSON.parse(data));
  }

  #sound(socket, data) {
    const frames = Math.floor(data.byteLength / FRAME_BYTES);
    if (frames === 0) return;
    this.#unacknowledged += frames;
    if (this.#unacknowledged >= ACK_EVERY) {
      this.#unacknowledged = 0;
      const seq = new DataView(data).getUint16((frames - 1) * FRAME_BYTES + 2, true);
      socket.send(`{"type":"ack","seq":${seq}}`);
    }
    this.#frameAt = Date.now();
    if (this.#cutAt) this.#lose(this.#frameAt - this.#cutAt); // what was said meanwhile is not sent again
    this.#cutAt = 0;
    if (this.#context?.state !== "running") return; // what waits there would only grow old
    this.#node?.port.postMessage(data, [data]);
    if (this.#node && this.state !== "live") this.#become("live");
  }

  #word(message) {
    if (message.at) clock.learn(message.at);
    if (message.type === "started") this.#started();
    else if (message.type === "dropped") this.#lose(message.ms);
    else if (message.type === "waiting") this.#wait(message.text);
    else if (message.type === "ended") this.#over();
    else if (message.type === "error") this.#told = message.text;
    this.#tell();
  }

  #started() {
    this.waiting = "";
    this.#askedAt = Date.now();
    this.#node?.port.postMessage({ reset: true });
  }

  #wait(text) {
    this.waiting = text;
    this.behindMs = null;
    this.#cutAt = 0; // nobody could have heard it
    if (this.state !== "suspended") this.#become("connecting");
  }

  #over() {
    this.#end();
    this.#forget();
    this.reason = gettext("The call has ended.");
    this.#become("off");
  }

  #lost(code) {
    this.#socket = null;
    const final = reasons()[code];
    if (final) {
      this.#fail(code === 4410 && this.#told ? this.#told : final);
      return;
    }
    if (this.state === "live") {
      this.#cutAt = this.#frameAt;
      this.#askedAt = Date.now();
      this.#become("connecting");
    }
    this.behindMs = null;
    const wait = RESTARTS.has(code) ? 1_000 : Math.min(CAP_MS, 500 * 2 ** this.#attempts);
    this.#attempts += 1;
    this.#timer = setTimeout(() => this.#open(), wait * (0.75 + Math.random() * 0.5));
  }

  /** Each second: is the line dead, and has sound been awaited for too long. */
  #look() {
    const now = Date.now();
    if (this.lately && now - this.#droppedAt > SPOKEN_MS) {
      this.lately = 0;
      this.#tell();
    }
    if (this.#socket && now - this.#heardAt > DEAD_MS) {
      this.#drop();
      this.#lost(1006);
    }
    if (this.state === "live" && now - this.#frameAt > HELD_UP_MS) {
      this.#askedAt = now;
      this.#become("connecting");
    }
    const awaited = this.state === "connecting" || (this.state === "failed" && this.#context);
    if (awaited && !this.waiting && now - this.#askedAt > PATIENCE_MS) {
      this.reason = this.#whyNot(now - this.#askedAt);
      this.#become("failed");
    }
  }

  /** It is read out when it changes: not each second. */
  #whyNot(ms) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return gettext("There is no connection to the server. It is tried again by itself.");
    const n = ms < 10_000 ? 5 : Math.floor(ms / 10_000) * 10;
    return gettext("No sound has come for %(n)s seconds. It starts by itself when it comes.", { n });
  }

  #fail(reason) {
    this.#end();
    this.#forget();
    this.reason = reason;
    this.#become("failed");
  }

  #end() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#drop();
    const [context, node] = [this.#context, this.#node];
    this.#context = this.#node = null;
    node?.port.postMessage(null);
    context?.close();
    this.behindMs = null;
  }

  /** The page is left; the next one goes on. */
  #leave() {
    if (this.state === "off" || this.#context === null) return;
    this.#remember();
    this.#end();
    this.state = "off";
  }

  // what the next page is told

  #remember() {
    const { call, caller, agent, muted } = this;
    if (call === null) return;
    stored(JSON.stringify({ user: this.#user, call, caller, agent, muted, at: Date.now() }));
  }

  #remembered() {
    try {
      const before = JSON.parse(sessionStorage.getItem(STORE));
      if (before?.user === this.#user && Date.now() - before.at < NEXT_PAGE_MS) return before;
    } catch {
      // nothing that we wrote
    }
    this.#forget();
    return null;
  }

  #forget() {
    stored(null);
  }

  #become(state) {
    this.state = state;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}

const number = (text, otherwise) => (text !== null && Number.isFinite(Number(text)) ? Number(text) : otherwise);

function stored(text) {
  try {
    if (text === null) sessionStorage.removeItem(STORE);
    else sessionStorage.setItem(STORE, text);
  } catch {
    // without storage it ends with the page
  }
}

export const listening = new Listening();
