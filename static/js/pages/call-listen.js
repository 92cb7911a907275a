// Hearing the call through the media fork: the button of this page. The sound itself goes on from page to page.

import { mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { keysOn } from "../keys.js";
import { listening } from "../listen.js";
import { namesInWords, partnerOf, showBusy, showWhy } from "./pieces.js";
import { NO_LINE } from "../words.js";

const LISTENERS = 2; // the site lets no more hear one call

export class Listen {
  constructor(state, id) {
    this.state = state;
    this.id = id;
    this.button = one('[data-act="listen"]');
    this.button.addEventListener("click", () => this.toggle());
    listening.addEventListener("change", () => this.draw());
    document.addEventListener("keydown", (event) => this.space(event));
  }

  get here() {
    return listening.call === this.id && listening.state !== "off";
  }

  toggle() {
    if (this.here) listening.stop();
    else if (!this.why()) this.start();
  }

  start() {
    const call = this.state.calls.get(this.id);
    listening.start({ call: this.id, caller: call.caller, agent: partnerOf(call, "") });
  }

  /** Why the call cannot be heard now, or "". */
  why() {
    if (this.state.cut) return NO_LINE;
    if (!this.state.openOf(this.id).length) return gettext("There is no sound to hear: no stream is open.");
    const others = this.state.listenersOf(this.id).filter((one) => one.user !== this.state.me.user);
    if (others.length < LISTENERS) return "";
    return gettext("%(names)s listen already, and no more than two can.", { names: namesInWords(others.map((one) => one.by)) });
  }

  draw() {
    const { here, button } = this;
    button.setAttribute("aria-pressed", String(here));
    button.disabled = !here && Boolean(this.why());
    showWhy(button, button.disabled ? this.why() : "");
    showBusy(button, here && listening.state === "connecting");
    text(one("[data-word]", button), here ? gettext("Stop listening") : gettext("Listen in"));
    const place = one("[data-listening]");
    text(place, here ? this.inWords() : "");
    mark(place, "tone", here && ["failed", "suspended"].includes(listening.state) ? "warn" : "");
  }

  inWords() {
    const { state, muted, behindMs, reason, waiting } = listening;
    if (state === "failed") return reason || gettext("No sound came.");
    if (state === "suspended") return gettext("Click to resume the sound.");
    if (state === "connecting") return waiting || gettext("Connecting sound…");
    const behind = gettext("Sound %(n)s s behind", { n: ((behindMs ?? 0) / 1000).toFixed(1) });
    return muted ? gettext("%(behind)s, muted here", { behind }) : behind;
  }

  /** Space mutes what is heard, unless it belongs to what has the focus. */
  space(event) {
    if (event.key !== " " || event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (!this.here || !keysOn() || event.defaultPrevented) return;
    if (event.target.closest?.("input, select, textarea, button, a[href], summary, [contenteditable], [role=log], dialog[open]")) return;
    event.preventDefault();
    listening.muted = !listening.muted;
  }
}
