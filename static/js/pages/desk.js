// The desk: its state comes whole, by socket and with each answer; the parts draw themselves from it.

import "../elements/cc-connection.js";
import "../elements/cc-timer.js";
import * as clock from "../clock.js";
import { all, data, make, newIcon, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { Softphone } from "../softphone.js";
import { Alert, offerNotifications } from "./desk-alert.js";
import { CallBar } from "./desk-call.js";
import { Check } from "./desk-check.js";
import { Dial } from "./desk-dial.js";
import { ask, token } from "./desk-do.js";
import { DeskLock } from "./desk-lock.js";
import { Day, Me } from "./desk-me.js";
import { Notes } from "./desk-notes.js";
import { Phone } from "./desk-phone.js";
import { Ringing } from "./desk-ringing.js";
import { Side } from "./desk-side.js";
import { DeskSocket } from "./desk-socket.js";
import { Transcript } from "./desk-transcript.js";
import { Transfer } from "./desk-transfer.js";
import { Watchers } from "./desk-watchers.js";
import { COMMANDS } from "./desk-words.js";
import { WrapUp } from "./desk-wrapup.js";

const sounds = one("#desk-form").dataset.sounds;

class Desk {
  state = data("desk-state");
  answered = new Set(); // offers that were accepted here and that the server does not know of yet
  said = new Set(); // commands whose failure was told
  left = true; // another tab has the desk

  constructor() {
    clock.learn(this.state.at);
    this.phone = new Softphone({ ask: token, sounds });
    this.lock = new DeskLock(this.state.me.agent);
    this.check = new Check(this, sounds);
    this.notes = new Notes(this);
    this.transfer = new Transfer(this);
    this.alert = new Alert(sounds);
    this.bar = new CallBar(this);
    this.day = new Day(this);
    this.ringing = new Ringing(this);
    this.side = new Side(this);
    this.transcript = new Transcript();
    this.line = new Phone(this);
    this.dial = new Dial(this);
    this.parts = [new Me(this), this.day, this.dial, this.line, this.bar, new Watchers(), new WrapUp(this), this.ringing];
    this.listen();
  }

  listen() {
    this.phone.addEventListener("change", () => this.redraw());
    this.phone.addEventListener("incoming", () => this.answerOwn());
    this.lock.addEventListener("lost", () => this.leave());
    one("[data-take]").addEventListener("click", () => this.take());
    for (const button of all("[data-check-open]")) button.addEventListener("click", () => this.check.open());
    addEventListener("beforeunload", (event) => this.phone.busy && event.preventDefault());
    clock.eachSecond(() => this.second());
    offerNotifications();
  }

  async begin() {
    const { dial_to: number } = this.state;
    this.draw();
    if (await this.lock.ask()) this.sit(false);
    else this.leave();
    await this.dial.bring(number);
  }

  // who has the desk

  sit(take) {
    this.left = false;
    this.place();
    this.socket ??= this.connect();
    this.socket.desk = this.lock.tab;
    if (take) this.socket.takeOver();
    else this.socket.open();
    this.draw();
  }

  connect() {
    const socket = new DeskSocket(this.lock.tab, this.state.id ?? null);
    socket.addEventListener("message", ({ detail }) => this.hear(detail));
    socket.addEventListener("taken", () => this.leave());
    one("cc-connection").follow(socket);
    return socket;
  }

  take() {
    this.lock.take();
    this.sit(true);
  }

  /** Another tab or browser has the desk: no phone here, no line. */
  leave() {
    this.left = true;
    this.lock.release();
    this.socket?.leave();
    this.socket?.set("taken");
    this.phone.stop();
    for (const dialog of all("dialog:modal")) dialog.close();
    this.place();
    this.draw();
  }

  place() {
    one("[data-taken]").hidden = !this.left;
    one("[data-desk]").hidden = this.left;
    one("[data-phone-chip]").hidden = this.left;
    if (this.left) one("[data-take]").focus();
  }

  // what is known

  hear(message) {
    if (message.type === "desk") this.put(message);
    else if (["utterance", "partial", "gap"].includes(message.type)) this.transcript.hear(message);
  }

  /** The whole state; an older one than what is shown is dropped. */
  put(state) {
    if (state.at && this.state.at && state.at < this.state.at) return;
    this.state = { ...state, at: state.at ?? this.state.at };
    const ringing = state.offer?.state === "ringing" ? state.offer.offer : null;
    for (const offer of this.answered) if (offer !== ringing) this.answered.delete(offer);
    this.draw();
  }

  redraw() {
    this.frame ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    const { state } = this;
    const offered = this.left ? null : this.ringing.offer(state);
    const shown = { ...state, offer: this.left ? null : state.offer };
    this.mode(state, offered);
    for (const part of this.parts) part.draw(part === this.ringing ? shown : state);
    const here = state.wrapup?.call ?? (offered ? null : (state.call?.call ?? null));
    this.remember(state, here);
    this.notes.draw(here, this.context);
    this.side.draw(here, this.context);
    if (state.call) this.transcript.follow(state.call, state.lines);
    this.alert.draw(this.answered.has(offered?.offer) ? null : offered, state.call, state.me.phone === "telephone" && offered?.kind !== "callback");
    this.failures(state.commands ?? []);
  }

  /** In the wrap-up the caller's context stays, also where the server tells it no more. */
  remember({ context }, here) {
    if (context && here !== null) [this.context, this.contextOf] = [context, here];
    else if (here !== this.contextOf) this.context = null;
  }

  mode({ offer, wrapup }, offered) {
    const call = Boolean(offer) && !offered;
    const work = call || Boolean(wrapup);
    one('[data-mode="idle"]').hidden = work;
    one('[data-mode="work"]').hidden = !work;
    one("[data-call-bar]").hidden = !call;
    if (!call) {
      this.transfer.close();
      if (!one("[data-keys]").hidden) this.bar.keypad(false);
    }
  }

  second() {
    this.day.second();
    this.ringing.second();
    this.bar.second();
    this.transcript.second();
    if (this.socket?.state === "live") this.line.second();
  }

  // what is done

  /** Ask the server; resolves to whether it was done. `failed(error)` tells it elsewhere than in the notices. */
  async act(kind, fields = {}, { failed = null, aloud = false, quiet = false } = {}) {
    try {
      const { desk, command } = await ask(kind, fields);
      if (command?.state === "failed") this.said.add(command.command);
      if (desk) this.put(desk);
      if (command?.state !== "failed") return true;
      throw { code: command.code, text: command.text };
    } catch (error) {
      if (!error.text) throw error;
      failed?.(error);
      if (!quiet && (!failed || aloud)) this.tell(error.text);
      return false;
    }
  }

  /** Call somebody: our own phone rings first, and is taken up by itself. */
  async callOut(kind, fields, told = null) {
    if (!this.mayBeReady()) return false;
    if (this.state.me.phone === "browser") this.phone.answer();
    const failed = (error) => {
      this.phone.forget();
      told?.(error);
    };
    return this.act(kind, fields, { failed, aloud: !told });
  }

  tell(words) {
    const notice = make("p", "notice bad");
    const close = make("button", "tool-close");
    close.type = "button";
    close.append(newIcon("close"), make("span", "quiet", gettext("Close")));
    close.addEventListener("click", () => notice.remove());
    notice.append(make("span", "", words), close);
    const place = one("[data-notices]");
    for (const old of all(".notice", place)) if (old.textContent === notice.textContent) old.remove();
    place.append(notice);
    while (place.childElementCount > 3) place.firstElementChild.remove();
  }

  /** Commands that failed after they were asked: each is told once. */
  failures(commands) {
    for (const command of commands) {
      const known = `${command.command} ${command.state}`;
      if (this.said.has(known) || this.said.has(command.command)) continue;
      this.said.add(known);
      const what = COMMANDS[command.kind] ?? gettext("Something asked of Twilio was not done.");
      if (command.state === "failed") this.tell(`${what} ${command.text}${command.code ? ` (${command.code})` : ""}`);
    }
  }

  /** What the agent called or accepted is taken up by itself when the phone rings for it. */
  answerOwn() {
    const { offer } = this.state;
    const own = offer && (offer.kind === "dial" || this.answered.has(offer.offer) || (offer.kind === "callback" && offer.state === "accepted"));
    if (own) this.phone.answer();
  }

  checked() {
    return this.check.passed();
  }

  /** Ready needs a phone that was checked and is connected, or their own telephone. */
  mayBeReady() {
    const { me } = this.state;
    if (me.phone === "telephone" || this.line.usable) return true;
    this.check.open(true);
    return false;
  }

  async goReady() {
    await this.line.choose(this.state.me.phone);
    await this.act("status", { status: "ready", reason: "" });
  }
}

const desk = new Desk();
desk.begin();
