// <cc-timer>: a duration that ticks by the server's clock. `from` counts up from it; with `until` it stands still.

import { duration, eachSecond, now } from "../clock.js";

class Timer extends HTMLElement {
  #stop = null;
  #from = null;
  #until = null;

  connectedCallback() {
    if (this.hasAttribute("from")) this.run(this.getAttribute("from"), this.getAttribute("until"));
  }

  disconnectedCallback() {
    this.#stop?.();
    this.#stop = null;
  }

  /** Count from a moment (ISO 8601), up to another if given. */
  run(from, until = null) {
    this.#from = from ? Date.parse(from) : null;
    this.#until = until ? Date.parse(until) : null;
    if (this.#until === null) this.#stop ??= eachSecond(() => this.show());
    else this.disconnectedCallback();
    this.show();
  }

  show() {
    const shown = this.#from === null ? "" : duration((this.#until ?? now()) - this.#from);
    if (this.textContent !== shown) this.textContent = shown;
  }
}

customElements.define("cc-timer", Timer);
