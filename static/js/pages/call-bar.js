// The bar of a live call: each thing that can be done, or why it cannot; all of it by one key or one press.

import { all, one, text } from "../dom.js";
import { transcription } from "../health.js";
import { gettext } from "../i18n.js";
import { onKey } from "../keys.js";
import { sure } from "./call-ask.js";
import { NO_LINE } from "../words.js";
import { insideInWords } from "./call-head.js";
import { phaseOf, showBusy, showWhy } from "./pieces.js";

const ASKING = {
  moment: ["moment"],
  transfer: ["call.transfer", "call.redirect"],
  end: ["call.end"],
  words: ["words.stop", "words.start"],
  stream: ["stream.start", "stream.stop"],
};

export class Bar {
  /** `parts` are those of the page that act: streams, moments, and where they may: listen, supervise, transfer. */
  constructor(state, id, acts, parts) {
    Object.assign(this, { state, id, acts }, parts);
    this.buttons = new Map(all("[data-act]").map((button) => [button.dataset.act, button]));
    const does = {
      coach: () => this.intervene("coach"),
      join: () => this.intervene("join"),
      takeover: () => this.takeOver(),
      moment: () => this.moments.mark(),
      transfer: () => this.transfer?.open(),
      end: () => this.end(),
      words: () => this.words(),
      stream: () => this.stream(),
    };
    for (const [name, act] of Object.entries(does)) this.buttons.get(name)?.addEventListener("click", act);
    for (const button of this.buttons.values()) button.disabled = false;
    for (const [key, act] of [["l", () => this.listen?.toggle()], ["m", does.moment], ["c", does.coach], ["J", does.join], ["T", does.takeover]]) {
      onKey(key, () => this.isLive() && !this.state.cut && act());
    }
  }

  isLive() {
    return this.state.calls.get(this.id)?.state !== "ended";
  }

  intervene(mode) {
    if (this.supervise && !this.whyNotEnter()) this.supervise.ask(mode);
  }

  takeOver() {
    const button = this.buttons.get("takeover");
    if (this.supervise && button && !button.hidden && !button.disabled) this.supervise.ask("takeover");
  }

  draw() {
    this.supervise?.draw();
    if (!this.isLive()) return;
    this.listen?.draw();
    for (const name of Object.keys(ASKING)) if (this.buttons.has(name)) this.buttons.get(name).disabled = this.state.cut;
    this.modes();
    this.wordsButton();
    this.streamButton();
    for (const [name, kinds] of Object.entries(ASKING)) {
      const button = this.buttons.get(name);
      if (button) showBusy(button, this.acts.waiting(...kinds).length > 0);
    }
    text(one("[data-why]"), this.reasons().join(" "));
  }

  /** Coach and Join, or the one of them that can be changed to. */
  modes() {
    const [why, own, step] = [this.whyNotEnter(), this.supervise?.own, this.supervise?.step];
    for (const mode of ["coach", "join"]) {
      const button = this.buttons.get(mode);
      if (!button) continue;
      button.hidden = own?.state === "in" && (own.mode === mode || !this.state.calls.get(this.id).agent);
      button.disabled = Boolean(why) || (Boolean(own) && own.state !== "in");
      showWhy(button, why);
      showBusy(button, Boolean(step) && !button.disabled);
    }
    this.takeOverButton();
  }

  /** While a voice speaks there is nobody to coach or to join: the caller can be taken over. */
  takeOverButton() {
    const button = this.buttons.get("takeover");
    if (!button) return;
    const { voice } = this.state.calls.get(this.id);
    const inside = this.state.supervisorOf(this.id);
    button.hidden = !voice;
    button.disabled = Boolean(inside) || this.state.cut;
    showWhy(button, inside ? insideInWords(inside) : "");
    showBusy(button, Boolean(this.supervise?.step));
    if (voice) for (const mode of ["coach", "join"]) this.buttons.get(mode).hidden = true;
  }

  /** Why nobody can be added to the call now, or "". */
  whyNotEnter() {
    if (this.state.cut) return NO_LINE;
    const call = this.state.calls.get(this.id);
    const inside = this.state.supervisorOf(this.id);
    if (inside && inside.user !== this.state.me.user) return insideInWords(inside);
    if (call.voice) return gettext("A voice speaks with the caller.");
    const waits = ["ringing", "queued"].includes(phaseOf(call)) || call.conference === null;
    if (waits || !call.answered_at) return gettext("Nobody has answered yet.");
    if (!call.conference) return gettext("This call is not in a conference, so nobody can be added to it.");
    return "";
  }

  /** What cannot be done now, and why; said once each. */
  reasons() {
    if (this.state.cut) return [gettext("There is no connection to the server: nothing can be done until it is back.")];
    const reasons = [];
    const { voice } = this.state.calls.get(this.id);
    const enter = this.buttons.has("coach") && !voice ? this.whyNotEnter() : "";
    if (enter) reasons.push(gettext("Coach and Join: %(why)s", { why: enter }));
    const listen = this.listen && !this.listen.here ? this.listen.why() : "";
    if (listen) reasons.push(gettext("Listen in: %(why)s", { why: listen }));
    return reasons;
  }

  wordsButton() {
    const button = this.buttons.get("words");
    if (!button) return;
    const { state } = transcription(this.state, this.state.calls.get(this.id));
    button.hidden = state === "none";
    text(one("[data-word]", button), state === "stopped" ? gettext("Start transcription") : gettext("Stop transcription"));
  }

  /** All streams of the call together: people think of one transcription. */
  async words() {
    if (this.acts.waiting(...ASKING.words).length) return;
    const open = this.state.openOf(this.id);
    const on = open.filter((stream) => stream.words !== false);
    const [kind, streams] = on.length ? ["words.stop", on] : ["words.start", open];
    for (const stream of streams) await this.acts.do(kind, { stream: stream.stream }, { stream: stream.stream });
  }

  /** Start where there is none, stop where there is one; of several the list beside the words tells which. */
  streamButton() {
    const button = this.buttons.get("stream");
    if (!button) return;
    const taps = this.taps();
    button.hidden = taps.length > 1;
    text(one("[data-word]", button), taps.length ? gettext("Stop stream") : gettext("Start stream"));
  }

  taps() {
    return this.state.openOf(this.id).filter((stream) => stream.kind === "tap");
  }

  stream() {
    const [tap] = this.taps();
    if (this.acts.waiting(...ASKING.stream).length) return;
    if (tap) this.streams.stop(tap);
    else this.streams.start();
  }

  async end() {
    if (this.acts.waiting("call.end").length) return;
    const { agent, caller } = this.state.calls.get(this.id);
    const both = agent ? gettext("%(agent)s and %(caller)s are cut off at once, in the middle of a word.", { agent, caller }) : gettext("%(caller)s is cut off at once.", { caller });
    const lines = [["hangup", both], ["bang", gettext("Nobody is told before, and it cannot be taken back.")]];
    if (await sure({ title: gettext("End the call?"), lines, yes: gettext("End call"), danger: true })) this.acts.do("call.end");
  }
}
