// The words of the call at hand, as the call's own page shows them.

import "../elements/cc-transcript.js";
import { one } from "../dom.js";
import { gettext } from "../i18n.js";
import { State } from "../state.js";
import { Words } from "./call-words.js";

const KEPT = 200;

export class Transcript extends Words {
  constructor() {
    super(new State({ keepLines: KEPT }), null);
    this.panel = one(".desk-transcript");
    this.state.watch(() => {
      this.frame ??= requestAnimationFrame(() => this.paint());
    });
  }

  /** The call of the desk's state, or null; `lines` come with it when the call changes. */
  follow(call, lines) {
    if (call && call.call !== this.id) this.change(call.call);
    if (!call) return;
    this.state.calls.set(call.call, call);
    for (const line of lines ?? []) this.state.line(line);
    this.state.tell(call.call);
  }

  change(id) {
    if (this.id !== null) this.state.forget(this.id);
    this.state.partials.clear();
    this.id = id;
    this.started = false;
  }

  /** utterance, partial or gap of the present call. */
  hear(message) {
    if (message.call === this.id) this.state.apply(message);
  }

  paint() {
    this.frame = null;
    if (this.id !== null && this.state.calls.has(this.id)) this.draw();
  }

  second() {
    for (const [key, line] of this.state.partials) if (Date.now() - line.heardAt > 8_000) this.state.partials.delete(key);
    if (!this.panel.hidden) this.paint();
  }

  nothing(call) {
    return call.state === "ended" ? gettext("Nothing was written down in this call.") : gettext("Nothing has been said yet.");
  }
}
