// How high the transcript may be: down to the foot of the window, whatever stands above it just now.

import { one } from "../dom.js";

const ABOVE = [".bar", "[data-banner]", ".call-head", ".acts"];

export class Fit {
  constructor() {
    this.page = one(".call-page");
    const observer = new ResizeObserver(() => this.look());
    for (const part of ABOVE.map((selector) => one(selector)).filter(Boolean)) observer.observe(part);
  }

  /** From the top of the document: the panel itself sticks, so that its own place tells nothing. */
  look() {
    const above = this.page.getBoundingClientRect().top + scrollY;
    this.page.style.setProperty("--above", `${Math.round(above)}px`);
  }
}
