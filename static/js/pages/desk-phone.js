// Where calls ring: the phone in the browser, kept registered and reported to the server, or a telephone.
//
// The chip in the top bar tells of the phone, the one beside it of the page's own line: a call goes on when the
// page has lost its line.

import { all, mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { permission } from "../phone-devices.js";
import { BLOCKED, NO_MICROPHONE, PHONE, phoneError } from "./desk-words.js";
import { busy } from "./desk-pieces.js";

const TELL_AGAIN_MS = 3_000;

export class Phone {
  /** `desk` has state, act(), phone (a Softphone) and checked(). */
  constructor(desk) {
    this.desk = desk;
    this.allowed = "prompt";
    this.toldAt = 0;
    for (const radio of all("[name=phone]")) radio.addEventListener("change", () => this.choose(radio.value));
    one("[data-phone-retry]").addEventListener("click", ({ currentTarget }) => busy(currentTarget, () => desk.phone.restart()));
    desk.phone.addEventListener("change", () => this.changed());
    permission((state) => this.permitted(state)).then((state) => this.permitted(state));
  }

  permitted(state) {
    this.allowed = state;
    this.changed();
    this.desk.redraw();
  }

  get blocked() {
    return this.allowed === "denied" || this.allowed === "missing";
  }

  /** The phone in the browser can carry a call now. */
  get usable() {
    return this.desk.phone.ready && !this.blocked && this.desk.checked();
  }

  /** Begin or end with the choice that the server knows. */
  follow() {
    if (this.desk.left) return;
    const browser = this.desk.state.me.phone === "browser";
    if (browser && this.desk.phone.state === "off") this.desk.phone.start();
    if (!browser && this.desk.phone.state !== "off" && !this.desk.phone.busy) this.desk.phone.stop();
  }

  choose(phone) {
    this.toldAt = Date.now();
    const ok = phone === "telephone" || this.usable;
    return this.desk.act("phone", { phone, ok }).then(() => this.draw(this.desk.state));
  }

  changed() {
    this.show();
    this.report();
  }

  /** With the page's line back, a phone that found no server tries again. */
  second() {
    if (this.desk.phone.state === "failed" && this.desk.phone.trouble?.code === "offline") this.desk.phone.start();
    this.report();
  }

  /** Tell the server whether the phone in the browser can ring, where it believes otherwise; at most every 3 s. */
  report() {
    const { me } = this.desk.state;
    if (me.phone !== "browser" || this.desk.left || this.desk.phone.state === "starting") return;
    const ok = this.usable;
    if (ok === me.phone_ok || (ok === this.told && Date.now() - this.toldAt < TELL_AGAIN_MS)) return;
    this.told = ok;
    this.toldAt = Date.now();
    this.desk.act("phone", { phone: "browser", ok }, { quiet: true });
  }

  draw({ me }) {
    for (const radio of all("[name=phone]")) radio.checked = radio.value === me.phone;
    const own = one("[name=phone][value=telephone]");
    own.disabled = !me.telephone;
    text(one("[data-telephone]"), me.telephone);
    text(one("[data-telephone-note]"), me.telephone ? gettext("It rings like any other call.") : gettext("No number is known. Ask an administrator to enter it."));
    text(one("[data-browser-note]"), this.note());
    this.follow();
    this.changed();
  }

  note() {
    if (this.blocked) return PHONE.blocked;
    return this.desk.checked() ? gettext("Checked today.") : gettext("To be checked before the first call.");
  }

  show() {
    const { me } = this.desk.state;
    const state = this.state(me);
    mark(one("[data-phone-chip]"), "state", { ready: "live", talking: "live", telephone: "live", failed: "signed-out", blocked: "signed-out", lost: "reconnecting" }[state] ?? state);
    text(one("[data-word]", one("[data-phone-chip]")), PHONE[state]);
    text(one("[data-phone-said]"), PHONE[state]);
    const words = this.sentence(state);
    const banner = one("[data-phone-banner]");
    banner.hidden = !words;
    mark(banner, "kind", state === "failed" || state === "blocked" ? "bad" : "warn");
    text(one("[data-text]", banner), words);
    const { trouble } = this.desk.phone;
    text(one("[data-code]", banner), words && state !== "blocked" && trouble?.code ? String(trouble.code) : "");
    one("[data-phone-retry]", banner).hidden = state === "blocked";
  }

  state(me) {
    if (me.phone !== "browser") return "telephone";
    const { phone } = this.desk;
    if (phone.busy) return "talking";
    if (this.blocked) return "blocked";
    return phone.ready ? "ready" : phone.state;
  }

  sentence(state) {
    if (this.desk.left) return "";
    const { trouble } = this.desk.phone;
    if (state === "blocked") return this.allowed === "missing" ? NO_MICROPHONE : BLOCKED;
    if (state === "failed") return phoneError(trouble ?? {});
    if (state === "lost") return trouble ? phoneError(trouble) : gettext("The phone has lost Twilio. It tries again by itself; calls cannot ring here until then.");
    return trouble ? phoneError(trouble) : "";
  }
}
