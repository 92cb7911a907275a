// Places of the call that somebody marked to find them again.

import { duration } from "../clock.js";
import { make, one } from "../dom.js";
import { gettext } from "../i18n.js";
import { momentKey } from "./call-words.js";
import { fill } from "./desk-pieces.js";

export class Moments {
  constructor(state, id, acts, goTo) {
    this.state = state;
    this.id = id;
    this.acts = acts;
    this.goTo = goTo;
    this.form = one("[data-moment-form]");
    this.form.addEventListener("submit", (event) => this.submit(event));
  }

  draw() {
    const moments = this.state.momentsOf(this.id);
    one("[data-no-moments]").hidden = moments.length > 0;
    const shown = moments.map(({ moment, at_ms: at, by, text }) => ({ moment, at, by, text }));
    fill(one("[data-moments]"), shown, (entry) => this.row(entry));
  }

  row({ moment, at, by, text: words }) {
    const item = make("li");
    const head = make("p", "row-head");
    const go = make("button", "go", duration(at));
    go.type = "button";
    go.append(make("span", "quiet", ` ${gettext("Go there in the transcript")}`));
    go.addEventListener("click", () => this.goTo(momentKey({ moment })));
    head.append(go, make("bdi", "", words || gettext("Marked")), make("bdi", "sub", by));
    item.append(head);
    return item;
  }

  async submit(event) {
    event.preventDefault();
    const field = this.form.elements.text;
    const words = field.value.trim();
    if (await this.mark(words)) field.value = "";
  }

  /** Mark this moment, with a word or without. Resolves to whether it was done. */
  async mark(words = "") {
    const marked = await this.acts.do("moment", words ? { text: words } : {});
    if (!marked) return false;
    const at = Number.isFinite(marked.at_ms) ? duration(marked.at_ms) : "";
    this.acts.tell("moment", gettext("Marked at %(time)s.", { time: at }), { tone: "ok" });
    return true;
  }
}
