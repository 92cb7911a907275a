// Tells by a live region what screen readers are to say, at most once in five seconds.

import { make } from "./dom.js";

const APART_MS = 5_000; // at most one announcement in this time

/** Announces by a live region: what comes too soon after the last one waits and is told with the rest. */
export class Announcer {
  constructor(region) {
    this.region = region;
    this.waiting = [];
    this.saidAt = -APART_MS;
    this.timer = null;
  }

  say(sentence) {
    this.waiting.push(sentence);
    this.timer ??= setTimeout(() => this.speak(), Math.max(0, this.saidAt + APART_MS - performance.now()));
  }

  speak() {
    this.timer = null;
    this.saidAt = performance.now();
    this.region.replaceChildren(...this.waiting.splice(0).map((sentence) => make("p", "", sentence)));
  }
}
