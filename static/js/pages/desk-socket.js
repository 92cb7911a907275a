// The desk's line to the server. It carries the whole state, so a hole in the chain is mended by one greeting;
// answering beats is what tells the server that somebody sits here.

import * as clock from "../clock.js";
import { gettext } from "../i18n.js";
import { LiveSocket } from "../live-socket.js";

const TAKEN = 4409;

export class DeskSocket extends LiveSocket {
  /** `desk` is the id of this tab. */
  constructor(desk, lastId) {
    super("/ws/desk/", lastId);
    this.desk = desk;
    this.take = false;
  }

  greet() {
    this.greeting = true;
    this.socket.send(JSON.stringify({ type: "hello", last_id: this.lastId, desk: this.desk, take: this.take }));
    this.take = false;
  }

  hear(message) {
    this.heardAt = Date.now();
    if (message.at) clock.learn(message.at);
    if (message.type === "beat") this.socket.send('{"type":"ack"}');
    if (message.type === "desk") this.settle(message);
    else if (message.id !== undefined) this.link(message);
    this.attempts = 0;
    this.lostAt = null;
    this.set("live");
    this.dispatchEvent(new CustomEvent("message", { detail: message }));
  }

  settle(message) {
    this.greeting = false;
    if (message.id !== undefined && message.id !== null) this.lastId = message.id;
  }

  /** A line of the call names the event before it; every message is a whole noun, so it is used all the same. */
  link(message) {
    const broken = message.after !== this.lastId && message.id > this.lastId;
    this.lastId = Math.max(this.lastId ?? 0, message.id);
    if (broken && !this.greeting) this.greet();
  }

  lost(code) {
    if (code !== TAKEN) {
      super.lost(code);
      return;
    }
    this.socket = null;
    this.set("taken");
    this.dispatchEvent(new Event("taken"));
  }

  retry() {
    if (this.state !== "taken") super.retry();
  }

  get troubled() {
    return this.state !== "taken" && super.troubled;
  }

  get noAccess() {
    return gettext("Your account may no longer use a desk. Ask an administrator for the role Agent.");
  }

  /** Sit down here, whoever sits elsewhere. */
  takeOver() {
    this.take = true;
    this.set("connecting");
    this.again();
  }
}
