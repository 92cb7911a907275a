// Keys pressed in a call, one after the other at a telephone's pace; a "w" is a pause.

import { InvalidArgumentError } from "./errors.js";

const KEY_MS = 230;
const PAUSE_MS = 500;
const MAX_WAITING = 200;

export class Keys {
  #press;
  #waiting = "";
  #busy = false;

  /** `press(key)` is called for each of 0-9, * and # when its time has come. */
  constructor(press) {
    this.#press = press;
  }

  send(digits) {
    if (/[^0-9*#w]/.test(digits)) throw new InvalidArgumentError("Illegal character passed into sendDigits");
    if (this.#waiting.length + digits.length > MAX_WAITING) throw new InvalidArgumentError("Too many digits");
    this.#waiting += digits;
    if (!this.#busy) this.#next();
  }

  #next() {
    const key = this.#waiting[0];
    this.#busy = key !== undefined;
    if (!this.#busy) return;
    this.#waiting = this.#waiting.slice(1);
    if (key !== "w") this.#press(key);
    setTimeout(() => this.#next(), key === "w" ? PAUSE_MS : KEY_MS);
  }
}
