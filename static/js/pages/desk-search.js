// A field that searches agents, queues and numbers as one types; a late answer to an old question is dropped.

import { search } from "./desk-do.js";

const WAIT_MS = 200;

export class Search {
  /** `found(result | null, error | null)` is told of each answer; null for an empty field. */
  constructor(field, found) {
    this.field = field;
    this.found = found;
    this.asked = 0;
    field.addEventListener("input", () => this.soon());
  }

  soon() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.found(null, null);
    this.timer = setTimeout(() => this.look(), WAIT_MS);
  }

  async look() {
    const [asked, words] = [++this.asked, this.field.value.trim()];
    if (!words && !this.field.dataset.all) return;
    try {
      const result = await search(words);
      if (asked === this.asked) this.found(result, null);
    } catch (error) {
      if (asked === this.asked) this.found(null, error);
    }
  }
}
