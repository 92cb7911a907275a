// The call at hand: who, how long, its controls, a consultation within it.

import { all, icon, mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { onKey } from "../keys.js";
import { busy } from "./desk-pieces.js";
import { PROGRESS, phoneError } from "./desk-words.js";
import { showBadge } from "./pieces.js";

const OVER = { busy: "warn", "no-answer": "warn", failed: "bad", canceled: "warn" };

export class CallBar {
  /** `desk` has state, act(), phone (a Softphone) and transfer (the dialog). */
  constructor(desk) {
    this.desk = desk;
    this.bar = one("[data-call-bar]");
    this.help = one("#help-dialog");
    const on = (hook, act) => one(`[data-${hook}]`, this.bar).addEventListener("click", act);
    on("mute", () => this.mute());
    on("hold", () => this.hold());
    on("keypad", () => this.keypad());
    on("transfer", () => desk.transfer.open());
    on("help", () => this.askHelp());
    on("hangup", () => this.hangUp());
    on("complete", () => this.press("complete", "transfer.complete"));
    on("cancel-consult", () => this.press("cancel-consult", "transfer.cancel"));
    for (const button of all("[data-key]", this.bar)) button.addEventListener("click", () => this.key(button.dataset.key));
    one("[data-cancel]", this.help).addEventListener("click", () => this.help.close());
    one("[data-help-form]").addEventListener("submit", (event) => this.sendHelp(event));
    onKey("m", () => this.use("mute", () => this.mute()));
    onKey("h", () => this.use("hold", () => this.hold()));
    onKey("t", () => this.use("transfer", () => desk.transfer.open()));
    onKey("E", () => this.use("hangup", () => this.hangUp()));
    document.addEventListener("keydown", (event) => this.typed(event));
  }

  get offer() {
    return this.desk.state.offer;
  }

  get browser() {
    return this.desk.state.me.phone === "browser";
  }

  /** A key acts as its button does: not while it is hidden or disabled. */
  use(hook, act) {
    const button = one(`[data-${hook}]`, this.bar);
    if (!this.bar.hidden && button.checkVisibility() && !button.disabled) act();
  }

  draw(state) {
    const { offer, call } = state;
    if (!offer || !call) return;
    text(one("[data-caller]", this.bar), call.caller);
    text(one("[data-via]", this.bar), this.via(state));
    one("[data-time]", this.bar).run(offer.accepted_at ?? offer.created_at);
    showBadge(one("[data-badge]", this.bar), this.badge(state));
    this.drawControls(state);
    this.drawConsult(offer, call);
    this.second();
  }

  via({ call, offer }) {
    const place = [...new Set([call.label || call.number, call.queue])].filter(Boolean).join(" · ");
    return offer.kind === "dial" ? gettext("shown as %(place)s", { place }) : place;
  }

  badge({ offer, call }) {
    if (offer.held) return { word: gettext("On hold"), tone: "warn", icon: "none" };
    if (outgoing(offer) && call.progress !== "in-progress") {
      const progress = offer.state === "ringing" ? "" : (call.progress ?? "");
      return { word: PROGRESS[progress] ?? progress, tone: OVER[progress] ?? "warn", icon: "ringing" };
    }
    return { word: offer.state === "accepted" ? gettext("Talking") : gettext("Connecting"), tone: "ok", icon: "talking" };
  }

  drawControls({ offer, call }) {
    const talking = offer.state === "accepted";
    const muted = this.browser ? this.desk.phone.muted : offer.muted;
    this.toggle("mute", muted, muted ? gettext("Unmute") : gettext("Mute"), muted ? "mic-off" : "mic");
    this.toggle("hold", offer.held, offer.held ? gettext("Take off hold") : gettext("Hold"), offer.held ? "play" : "pause");
    this.toggle("help", Boolean(call.help), call.help ? gettext("Help asked") : gettext("Ask for help"), "hand");
    for (const hook of ["mute", "keypad"]) this.control(hook).disabled = this.browser ? !this.desk.phone.busy : !talking;
    for (const hook of ["hold", "transfer", "help"]) this.control(hook).disabled = !talking || Boolean(offer.consult && hook !== "help");
    one("[data-keypad-note]", this.bar).hidden = this.browser;
  }

  control(hook) {
    return one(`[data-${hook}]`, this.bar);
  }

  toggle(hook, on, word, symbol) {
    const button = this.control(hook);
    button.setAttribute("aria-pressed", String(Boolean(on)));
    text(one("[data-word]", button), word);
    icon(one("svg", button), symbol);
  }

  drawConsult({ consult }, call) {
    one("[data-consult]", this.bar).hidden = !consult;
    if (!consult) return;
    const { who, state } = consult;
    const waits = gettext("%(caller)s waits and hears music.", { caller: call.caller });
    const words = {
      ringing: gettext("%(who)s is being rung.", { who }),
      talking: gettext("You are talking with %(who)s.", { who }),
      declined: gettext("%(who)s declined.", { who }),
      missed: gettext("%(who)s did not answer.", { who }),
      failed: gettext("%(who)s could not be reached.", { who }),
    };
    text(one("[data-text]", one("[data-consult]", this.bar)), [words[state], waits].filter(Boolean).join(" "));
    mark(one("[data-consult]", this.bar), "state", state);
    this.control("complete").hidden = !["ringing", "talking"].includes(state);
    text(this.control("complete"), state === "ringing" ? gettext("Hand over without talking") : gettext("Hand over and leave"));
  }

  /** The voice's own line, which lives apart from the page's: told only while something is wrong with it. */
  second() {
    const { phone } = this.desk;
    const gone = this.browser && this.offer?.state === "accepted" && !phone.busy && phone.callState !== "ringing";
    this.goneAt = gone ? (this.goneAt ?? Date.now()) : null;
    const note = this.bar.querySelector("[data-voice-note]");
    const words =
      phone.callState === "reconnecting"
        ? gettext("The sound is interrupted; the phone connects again. Stay on the line.")
        : phone.trouble && phone.busy
          ? phoneError(phone.trouble)
          : gone && Date.now() - this.goneAt > 3_000
            ? gettext("Your phone has lost this call. If the caller is still there, the call is offered to you again.")
            : "";
    note.hidden = !words;
    text(note, words);
  }

  // what the agent does

  press(hook, kind, fields = {}) {
    return busy(this.control(hook), () => this.desk.act(kind, { offer: this.offer.offer, ...fields }));
  }

  mute() {
    if (this.browser) this.desk.phone.mute(!this.desk.phone.muted);
    else this.press("mute", "mute", { on: !this.offer.muted });
  }

  hold() {
    this.press("hold", "hold", { on: !this.offer.held });
  }

  /** Without a line to the server the phone itself hangs up. */
  hangUp() {
    const failed = ({ code }) => code === "offline" && this.browser && this.desk.phone.hangUp();
    busy(this.control("hangup"), () => this.desk.act("hangup", { offer: this.offer.offer }, { failed, aloud: true }));
  }

  askHelp() {
    if (this.desk.state.call.help) {
      this.press("help", "help.done");
      return;
    }
    one("[data-help-form]").reset();
    this.help.showModal();
  }

  async sendHelp(event) {
    event.preventDefault();
    const reason = event.target.elements.reason.value.trim();
    this.help.close();
    await this.press("help", "help", { reason });
  }

  // keys of a telephone

  keypad(open = one("[data-keys]", this.bar).hidden) {
    one("[data-keys]", this.bar).hidden = !open;
    this.control("keypad").setAttribute("aria-expanded", String(open));
    text(one("[data-pressed]", this.bar), "");
    if (open) one("[data-key]", this.bar).focus();
  }

  key(digit) {
    if (!this.browser) return;
    this.desk.phone.press(digit);
    text(one("[data-pressed]", this.bar), `${one("[data-pressed]", this.bar).textContent}${digit}`.slice(-24));
  }

  /** With the keypad open its digits may be typed; Escape closes it. */
  typed(event) {
    if (one("[data-keys]", this.bar).hidden || event.target.closest("input, textarea, select, dialog") || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === "Escape") {
      this.keypad(false);
      this.control("keypad").focus();
    } else if (/^[0-9*#]$/.test(event.key)) {
      this.key(event.key);
    }
  }
}

/** A call that we make: to somebody who is not there yet. */
const outgoing = ({ kind }) => kind === "dial" || kind === "callback";
