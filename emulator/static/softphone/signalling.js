// The socket to the emulator: messages both ways, sound both ways, and coming back when the line breaks.

import { SOCKET } from "./place.js";
import { Emitter } from "./emitter.js";

const DENIED = 4401;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;
const PING_MS = 5000;
const SILENT_MS = 15000;
const ACKNOWLEDGE = 50;
// Sound is not worth sending late: beyond this much waiting in the browser it is left out.
const LATE_BYTES = 16000;

/**
 * Events: each message by its type (`connected`, `incoming`, `answer`, …), `sound` with 160 bytes, `lost` when the
 * line breaks (it tries to come back by itself) and `closed` when it may not.
 */
export class Signalling extends Emitter {
  rtt = 0;
  #token;
  #socket = null;
  #identified = false;
  #tries = 0;
  #timer = null;
  #pinger = null;
  #pinged = 0;
  #heardAt = 0;
  #unacknowledged = 0;
  #reconnect = "";

  constructor(token) {
    super();
    this.#token = token;
    this.on("pong", () => { this.rtt = performance.now() - this.#pinged; });
    this.on("connected", () => { this.#identified = true; this.#tries = 0; });
  }

  get identified() {
    return this.#identified;
  }

  /** The key of the call that is held, with which it is taken up again after a break. */
  set reconnect(key) {
    this.#reconnect = key;
  }

  open() {
    const socket = new WebSocket(SOCKET);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => this.#listen();
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code, reason }) => this.#gone(socket, code, reason);
  }

  set token(token) {
    this.#token = token;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#listen();
  }

  /** Whether it could be sent. */
  send(type, facts = {}) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ type, ...facts }));
    return true;
  }

  speak(frame) {
    const socket = this.#socket;
    if (socket?.readyState === WebSocket.OPEN && socket.bufferedAmount < LATE_BYTES) socket.send(frame);
  }

  /** Ask for a `pong`; `rtt` is how long it took, in ms. */
  ping() {
    this.#pinged = performance.now();
    this.send("ping");
  }

  /** Say goodbye, for good. */
  close() {
    const socket = this.#socket;
    this.#forget();
    this.#socket = null;
    clearTimeout(this.#timer);
    socket?.close(1000);
  }

  #listen() {
    const key = this.#identified ? "" : this.#reconnect;
    this.send("listen", { token: this.#token, ...(key ? { reconnect: key } : {}) });
    this.#heardAt = performance.now();
    clearInterval(this.#pinger);
    this.#pinger = setInterval(() => this.#watch(), PING_MS);
  }

  #watch() {
    if (performance.now() - this.#heardAt > SILENT_MS) {
      const socket = this.#socket;
      this.#gone(socket, 1006, "nothing was heard");
      socket.close();
      return;
    }
    this.ping();
  }

  #hear(data) {
    this.#heardAt = performance.now();
    if (typeof data !== "string") {
      this.#unacknowledged += 1;
      if (this.#unacknowledged >= ACKNOWLEDGE) {
        this.send("heard", { frames: this.#unacknowledged });
        this.#unacknowledged = 0;
      }
      this.emit("sound", new Uint8Array(data));
      return;
    }
    const message = JSON.parse(data);
    this.emit(message.type === "error" ? "failed" : message.type, message);
  }

  #gone(socket, code, reason) {
    if (socket !== this.#socket) return;
    this.#forget();
    if (code === DENIED) {
      this.#socket = null;
      this.emit("closed");
      return;
    }
    this.#tries += 1;
    this.emit("lost", { code, reason, first: this.#tries === 1 });
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.#tries - 1));
    this.#timer = setTimeout(() => this.open(), wait * (0.75 + Math.random() / 2));
  }

  #forget() {
    clearInterval(this.#pinger);
    this.#identified = false;
    this.#unacknowledged = 0;
  }
}
