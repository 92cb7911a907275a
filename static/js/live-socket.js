// The one line to the server: greets with the last id seen, checks that nothing is missing, comes back by itself.
//
// States: connecting, live, stale, reconnecting, restarting, slow, signed-out, no-access, gone, outdated. The page
// listens to "state" and "message". What is not told again (levels, partial lines, health) may be lost; events never are.

import * as clock from "./clock.js";
import { gettext } from "./i18n.js";

const FIRST_MS = 500;
const CAP_MS = 15_000;
const BANNER_MS = 2_000;
const STALE_MS = 5_000; // without a message while sound is streaming
const QUIET_MS = 20_000; // without a message at all: a beat comes each 15 s
const DEAD_MS = 35_000;
const RESTART_BANNER_MS = 10_000;
const RESTART_TRIES = 8; // then it is no restart any more
const FINAL = { 4400: "outdated", 4401: "signed-out", 4403: "no-access", 4404: "gone", 4409: "outdated", 4413: "outdated" };
const RESTARTS = new Set([1001, 1012, 4012]);
const SLOW = 4408;
const span = (least, most) => least + Math.random() * (most - least);

export class LiveSocket extends EventTarget {
  /** `path` such as "/ws/live/"; the snapshot in the page, or its last id; `streaming()` whether ticks are due. */
  constructor(path, known, streaming = () => false) {
    super();
    this.url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    this.lastId = known?.last_id ?? known;
    this.scope = known?.scope; // whose calls the page shows; when that has changed, the answer is a snapshot
    this.streaming = streaming;
    this.state = "connecting";
    this.heardAt = Date.now();
    this.lostAt = null;
    this.retryAt = null;
    this.attempts = 0;
    this.closing = false;
    addEventListener("online", () => this.retry());
    addEventListener("pagehide", () => this.leave());
    addEventListener("pageshow", (event) => event.persisted && this.open());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.seen());
    clock.eachSecond(() => this.look());
  }

  open() {
    this.closing = false;
    clearTimeout(this.timer);
    this.retryAt = null;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.openedAt = Date.now();
    socket.onopen = () => this.greet();
    socket.onmessage = (event) => socket === this.socket && this.hear(JSON.parse(event.data));
    socket.onclose = (event) => socket === this.socket && this.lost(event.code);
  }

  /** Whether trying again is of no use. */
  get final() {
    return Object.values(FINAL).includes(this.state);
  }

  /** Try again at once, unless the line is up or there is no use. */
  retry() {
    if (this.state !== "live" && this.state !== "stale" && !this.final) this.again();
  }

  again() {
    this.drop();
    this.open();
  }

  /** The page is looked at again: its reader may have signed in elsewhere meanwhile. */
  seen() {
    if (this.state === "signed-out" && !this.socket) this.again();
    else this.look();
  }

  /** The page is left: say goodbye without trying again. */
  leave() {
    this.closing = true;
    clearTimeout(this.timer);
    this.drop();
  }

  drop() {
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.close();
  }

  greet() {
    this.greeting = true;
    this.socket.send(JSON.stringify({ type: "hello", last_id: this.lastId, scope: this.scope }));
  }

  hear(message) {
    this.heardAt = Date.now();
    if (message.at) clock.learn(message.at);
    if (message.type === "levels") this.socket.send('{"type":"ack"}');
    if (message.type === "snapshot") this.renew(message);
    else if (message.id !== undefined && !this.chain(message)) return;
    this.greeting = false;
    this.attempts = 0;
    this.lostAt = null;
    this.set("live");
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  renew(snapshot) {
    this.lastId = snapshot.last_id;
    this.scope = snapshot.scope;
  }

  /** Events name the one before; a broken chain means that we missed something: greet again. */
  chain(message) {
    if (message.id <= this.lastId) return false;
    if (message.after !== this.lastId) {
      if (!this.greeting) this.greet();
      return false;
    }
    this.lastId = message.id;
    return true;
  }

  lost(code) {
    this.socket = null;
    clock.forget();
    if (this.closing) return;
    this.lostAt ??= Date.now();
    if (FINAL[code]) {
      this.set(FINAL[code]);
      return;
    }
    this.attempts += 1;
    const state = this.broken(code);
    this.plan(this.backOff(state));
    this.set(state);
  }

  /** What a line that may come back is in, by how it was closed; a server that restarts refuses for some tries. */
  broken(code) {
    if (code === SLOW) return "slow";
    const goesOn = this.state === "restarting" && this.attempts < RESTART_TRIES;
    return RESTARTS.has(code) || goesOn ? "restarting" : "reconnecting";
  }

  /** ms until the next try; a slow line is given time, and its sentence is there to be read. */
  backOff(state) {
    if (state === "restarting") return span(500, 2_000);
    if (state === "slow") return span(3_000, 4_000);
    return Math.min(CAP_MS, FIRST_MS * 2 ** (this.attempts - 1)) * span(0.75, 1);
  }

  plan(delay) {
    clearTimeout(this.timer);
    this.retryAt = Date.now() + delay;
    this.timer = setTimeout(() => this.open(), delay);
    setTimeout(() => this.dispatchEvent(new Event("look")), BANNER_MS + 10); // the banner, not up to a second later
  }

  /** Each second: is the line silent, and does the page say the right thing. */
  look() {
    const silent = Date.now() - this.heardAt;
    if (this.state === "live" || this.state === "stale") {
      if (silent > DEAD_MS) {
        this.drop();
        this.lost(1006);
      } else {
        this.set(silent > (this.streaming() ? STALE_MS : QUIET_MS) ? "stale" : "live");
      }
    } else if (this.socket && Date.now() - this.openedAt > CAP_MS && this.socket.readyState === 0) {
      this.drop();
      this.lost(1006);
    }
    this.dispatchEvent(new Event("look"));
  }

  /** For whom a page is no longer there: whom to ask. */
  get noAccess() {
    return gettext("Your account may no longer watch live calls. Ask an administrator for the role Supervisor.");
  }

  /** Whether the line has been down for so long that nothing shown can be taken for what is now. */
  get cut() {
    return this.lostAt !== null && (this.final || Date.now() - this.lostAt > BANNER_MS);
  }

  /** Whether to say it in a banner: at once when final, after 2 s when it may come back by itself. */
  get troubled() {
    if (this.state === "live") return false;
    if (this.state === "stale" || this.state === "slow" || this.final) return true;
    if (this.state === "restarting") return Date.now() - this.lostAt > RESTART_BANNER_MS;
    return Date.now() - (this.lostAt ?? this.openedAt ?? Date.now()) > BANNER_MS;
  }

  set(state) {
    if (state === this.state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }
}
