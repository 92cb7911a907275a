// <cc-listen-bar>: on every page, who is heard, how old the sound is, how loud it is; and Stop.

import { mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { listening } from "../listen.js";

const GONE_MS = 8_000; // how long it stays after the call has ended

class ListenBar extends HTMLElement {
  #last = "";
  #timer = null;

  connectedCallback() {
    this.link = one("[data-listen-call]", this);
    this.status = one("[data-listen-status]", this);
    this.volume = one("[data-listen-volume]", this);
    this.balance = one("[data-listen-balance]", this);
    this.volume.addEventListener("input", () => { listening.volume = this.volume.valueAsNumber / 100; });
    this.balance.addEventListener("input", () => { listening.balance = this.balance.valueAsNumber / 100; });
    for (const [name, act] of [["stop", "stop"], ["resume", "resume"], ["retry", "retry"]]) {
      one(`[data-listen-${name}]`, this).addEventListener("click", () => listening[act]());
    }
    one("[data-listen-mute]", this).addEventListener("click", () => { listening.muted = !listening.muted; });
    listening.addEventListener("change", () => this.show());
    listening.configure({ worklet: this.dataset.worklet, user: this.dataset.user });
    listening.restore();
    this.show();
  }

  show() {
    const { state, call, reason } = listening;
    if (state !== this.#last) this.#turn(state, reason);
    if (this.hidden) return;
    mark(this, "state", state);
    text(this.link, this.#title());
    if (call !== null) this.link.href = this.dataset.page.replace("/0/", `/${call}/`);
    text(this.status, this.#word());
    text(one("[data-listen-behind]", this), this.#age());
    this.#controls(state);
  }

  /** It appears with the sound, and stays a while to say that the call has ended. */
  #turn(state, reason) {
    clearTimeout(this.#timer);
    this.#last = state;
    if (state !== "off") this.hidden = false;
    else if (!reason) this.hidden = true;
    else this.#timer = setTimeout(() => listening.stop(), GONE_MS);
  }

  #title() {
    const { caller, agent } = listening;
    if (agent) return gettext("Listening to %(caller)s with %(agent)s", { caller, agent });
    return gettext("Listening to %(caller)s", { caller });
  }

  /** For people and screen readers: it changes with the state and when sound was left out, not with each tick. */
  #word() {
    const { state, reason, waiting, lately, muted } = listening;
    if (state === "suspended") return gettext("The browser waits for a click before it plays sound.");
    if (state === "connecting") return waiting || gettext("Connecting sound…");
    if (state !== "live") return reason;
    if (lately) return gettext("%(time)s s of sound was left out", { time: (lately / 1000).toFixed(1) });
    return muted ? gettext("Muted") : "";
  }

  #age() {
    const { state, behindMs } = listening;
    if (state !== "live" || behindMs === null) return "";
    return gettext("Sound %(time)s s behind", { time: (behindMs / 1000).toFixed(1) });
  }

  #controls(state) {
    const { volume, balance, muted } = listening;
    text(one("[data-listen-stop-word]", this), state === "off" ? gettext("Close") : gettext("Stop listening"));
    one("[data-listen-resume]", this).hidden = state !== "suspended";
    one("[data-listen-retry]", this).hidden = state !== "failed";
    one("[data-listen-sound]", this).hidden = state === "off" || state === "failed";
    const mute = one("[data-listen-mute]", this);
    mute.setAttribute("aria-pressed", String(muted));
    this.#slide(this.volume, volume, `${Math.round(volume * 100)} %`);
    this.#slide(this.balance, balance, this.#side(balance));
  }

  #slide(slider, value, words) {
    if (slider.valueAsNumber !== Math.round(value * 100)) slider.value = String(Math.round(value * 100));
    if (slider.getAttribute("aria-valuetext") !== words) slider.setAttribute("aria-valuetext", words);
  }

  #side(balance) {
    const percent = `${Math.round((1 - Math.abs(balance)) * 100)} %`;
    if (balance < 0) return gettext("Caller; agent at %(percent)s", { percent });
    if (balance > 0) return gettext("Agent; caller at %(percent)s", { percent });
    return gettext("Caller and agent alike");
  }
}

customElements.define("cc-listen-bar", ListenBar);
