// <cc-countdown>: how long until a moment, by the server's clock: "00:23 left", afterwards "00:12 over".

import { duration, eachSecond, now } from "../clock.js";
import { gettext } from "../i18n.js";

class Countdown extends HTMLElement {
  #stop = null;
  #to = null;

  disconnectedCallback() {
    this.#stop?.();
    this.#stop = null;
  }

  /** Count down to a moment (ISO 8601), or show nothing for null. */
  run(to) {
    this.#to = to ? Date.parse(to) : null;
    if (this.#to !== null) this.#stop ??= eachSecond(() => this.show());
    else this.disconnectedCallback();
    this.show();
  }

  show() {
    const left = this.#to === null ? 0 : this.#to - now();
    const shown = this.#to === null ? "" : left >= 0 ? gettext("%(time)s left", { time: duration(left + 999) }) : gettext("%(time)s over", { time: duration(-left) });
    this.toggleAttribute("data-over", left < 0);
    if (this.textContent !== shown) this.textContent = shown;
  }
}

customElements.define("cc-countdown", Countdown);
