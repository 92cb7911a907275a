// Above the words: why none come, and what can be done about it.

import { one, text } from "../dom.js";
import { transcription } from "../health.js";
import { gettext } from "../i18n.js";
import { showBusy } from "./pieces.js";

const ASKED = ["stream.start", "words.start"];

export class Notice {
  constructor(state, id, acts, streams, bar) {
    Object.assign(this, { state, id, acts, streams, bar });
    this.place = one("[data-words-note]");
    this.button = one("[data-words-act]", this.place);
    this.button?.addEventListener("click", () => this.act?.());
  }

  draw() {
    const call = this.state.calls.get(this.id);
    const said = call.state === "ended" ? null : this.find(call);
    this.place.hidden = !said;
    this.act = said?.act;
    if (!said) return;
    text(one("[data-text]", this.place), said.text);
    if (!this.button) return;
    text(this.button, said.button);
    showBusy(this.button, this.acts.waiting(...ASKED).length > 0);
  }

  /** Ask the engine once more for the words of each stream that gives none. */
  async again() {
    if (this.acts.waiting("words.start").length) return;
    for (const stream of this.state.openOf(this.id)) {
      if (this.state.health.get(stream.stream)?.failed) await this.acts.do("words.start", { stream: stream.stream });
    }
  }

  /** {text, button, act}, or null while words come. */
  find(call) {
    if (call.state === "live" && !this.state.openOf(this.id).length) {
      return { text: gettext("No stream is open: this call is neither heard nor written down."), button: gettext("Start stream"), act: () => this.streams.start() };
    }
    const { state } = transcription(this.state, call);
    if (state === "failed") {
      return { text: gettext("Transcription failed: no words come; sound still works."), button: gettext("Try again"), act: () => this.again() };
    }
    if (state !== "stopped") return null;
    return { text: gettext("The transcription is stopped; the sound still works."), button: gettext("Start transcription"), act: () => this.bar.words() };
  }
}
