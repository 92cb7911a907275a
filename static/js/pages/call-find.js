// Find in the transcript: Enter goes on, Shift+Enter back, Esc ends.

import { one, text } from "../dom.js";
import { gettext } from "../i18n.js";

export class Finder {
  constructor(transcript) {
    this.transcript = transcript;
    this.field = one("[data-find]");
    this.field.addEventListener("input", () => this.show(transcript.find(this.field.value)));
    this.field.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.show(this.transcript.next(event.shiftKey ? -1 : 1));
    } else if (event.key === "Escape") {
      this.field.value = "";
      this.show(this.transcript.find(""));
      this.field.blur();
    }
  }

  show({ count, at }) {
    text(one("[data-find-count]"), !this.field.value.trim() ? "" : count ? gettext("%(at)s of %(count)s", { at, count }) : gettext("Not found"));
  }
}
