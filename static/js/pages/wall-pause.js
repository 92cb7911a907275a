// "Pause updates" (WCAG 2.2.2): the page stands still, the line goes on listening; alerts still come.

import { icon, one, text } from "../dom.js";
import { gettext } from "../i18n.js";

export class Pause {
  constructor(resumed) {
    this.on = false;
    this.resumed = resumed;
    this.button = one("[data-pause]");
    this.note = one("[data-paused-note]");
    this.button.addEventListener("click", () => this.toggle());
  }

  toggle() {
    this.on = !this.on;
    this.since = Date.now();
    this.button.setAttribute("aria-pressed", String(this.on));
    text(one("[data-pause-word]", this.button), this.on ? gettext("Resume updates") : gettext("Pause updates"));
    icon(one("svg", this.button), this.on ? "play" : "pause");
    this.look();
    if (!this.on) this.resumed();
  }

  look() {
    this.note.hidden = !this.on;
    const seconds = Math.floor((Date.now() - this.since) / 1000);
    if (this.on) text(this.note, gettext("Paused for %(seconds)s s; alerts still come", { seconds }));
  }
}
