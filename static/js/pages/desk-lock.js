// One desk in one browser: tabs ask each other who has it. Other browsers are told by the server (4409).

import { newId } from "../control.js";

const ANSWER_MS = 200;

export class DeskLock extends EventTarget {
  /** `agent` names the desk; "lost" is told when another tab takes it. */
  constructor(agent) {
    super();
    this.channel = "BroadcastChannel" in window ? new BroadcastChannel(`desk-${agent}`) : null;
    this.tab = tabId();
    this.mine = false;
    this.self = newId(); // two copies of a tab have one tab id
    this.channel?.addEventListener("message", ({ data }) => this.#hear(data));
  }

  /** Whether nobody else has it; then it is ours. */
  async ask() {
    if (this.channel) {
      this.#say("who");
      await new Promise((resolve) => {
        this.answered = resolve;
        setTimeout(resolve, ANSWER_MS);
      });
    }
    this.mine = !this.other;
    return this.mine;
  }

  /** Take it from the other tab. */
  take() {
    if (this.other === this.tab) renew(this);
    this.other = null;
    this.mine = true;
    this.#say("mine now");
  }

  release() {
    this.mine = false;
  }

  #hear({ what, tab, self }) {
    if (self === this.self) return;
    if (what === "who" && this.mine) this.#say("me");
    if (what === "me" && !this.mine) {
      this.other = tab;
      this.answered?.();
    }
    if (what === "mine now" && this.mine) {
      this.mine = false;
      this.dispatchEvent(new Event("lost"));
    }
  }

  #say(what) {
    this.channel?.postMessage({ what, tab: this.tab, self: this.self });
  }
}

/** This tab's id outlives a reload, so that the server knows the desk again. */
function tabId() {
  try {
    const known = sessionStorage.getItem("desk-tab") ?? newId();
    sessionStorage.setItem("desk-tab", known);
    return known;
  } catch {
    return newId();
  }
}

function renew(lock) {
  lock.tab = newId();
  try {
    sessionStorage.setItem("desk-tab", lock.tab);
  } catch {
    // without storage the id lasts as long as the page
  }
}
