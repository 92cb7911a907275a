// Coach and join: asked first, then this page's phone rings and is taken up by itself, then the server says that it is so.
//
// What is true is the supervision as the server tells it. `step` is only what this page waits for: "phone" (it
// registers), "asked" (Twilio was asked to ring it), "switch", "leave".

import { all, icon, mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { listening } from "../listen.js";
import { sure } from "./call-ask.js";
import { CallPhone, troubleOf } from "./call-phone.js";
import { showBusy } from "./pieces.js";

export class Supervise {
  step = "";
  seen = null; // the supervision of mine that this page last knew

  constructor(state, id, acts) {
    this.state = state;
    this.id = id;
    this.acts = acts;
    this.strip = one("[data-part]");
    this.phone = new CallPhone();
    this.phone.addEventListener("change", () => this.changed());
    one("[data-mute]", this.strip).addEventListener("click", () => this.phone.mute(!this.phone.muted));
    for (const button of all("[data-leave]")) button.addEventListener("click", () => this.leave());
    addEventListener("beforeunload", (event) => this.occupied && event.preventDefault());
  }

  /** My own part in the call, or undefined. */
  get own() {
    const inside = this.state.supervisorOf(this.id);
    return inside && inside.user === this.state.me.user ? inside : undefined;
  }

  /** Something would be lost by leaving the page. */
  get occupied() {
    return this.phone.busy || this.step === "asked";
  }

  get names() {
    const call = this.state.calls.get(this.id);
    return { agent: call?.agent || gettext("the agent"), caller: call?.caller ?? "" };
  }

  /** Ask whether to, and then do it: "coach", "join" or "takeover". */
  async ask(mode) {
    if (this.step || this.own?.mode === mode) return;
    const words = { coach: () => this.coachWords(), join: () => this.joinWords(), takeover: () => this.takeOverWords() };
    if (!(await sure(words[mode]())) || this.step) return;
    if (this.own) await this.change(mode);
    else await this.enter(mode);
  }

  coachWords() {
    const { agent, caller } = this.names;
    const changes = Boolean(this.own);
    return {
      title: changes ? gettext("Coach only, from now on?") : gettext("Coach %(agent)s?", { agent }),
      lines: [
        ["ok", gettext("%(agent)s hears you.", { agent })],
        ["mic-off", changes ? gettext("%(caller)s no longer hears you.", { caller }) : gettext("%(caller)s does not hear you.", { caller })],
        ["headphones", gettext("You hear both.")],
        ...(changes ? [] : [phoneLine()]),
      ],
      yes: gettext("Coach"),
    };
  }

  /** Whether the caller has nobody else: they were taken over from a voice, or their agent has gone. */
  isAlone() {
    return this.own?.state === "in" && !this.state.calls.get(this.id)?.agent;
  }

  cutsOffWords() {
    const { caller } = this.names;
    return {
      title: gettext("Leave and end the call?"),
      lines: [["bang", gettext("Nobody else speaks with %(caller)s: the call ends when you leave.", { caller })]],
      yes: gettext("Leave and end"),
      danger: true,
    };
  }

  joinWords() {
    const { agent, caller } = this.names;
    const changes = Boolean(this.own);
    return {
      title: gettext("Join the call?"),
      lines: [
        changes ? ["ok", gettext("From now on %(caller)s hears you too.", { caller })] : ["ok", gettext("%(agent)s and %(caller)s hear you.", { agent, caller })],
        ["headphones", gettext("You hear both.")],
        ...(changes ? [] : [phoneLine()]),
      ],
      yes: gettext("Join"),
    };
  }

  takeOverWords() {
    const voice = this.state.calls.get(this.id)?.voice ?? "";
    const { caller } = this.names;
    return {
      title: gettext("Take %(caller)s over from %(voice)s?", { caller, voice }),
      lines: [
        ["ok", gettext("%(caller)s speaks with you, and %(voice)s falls silent.", { caller, voice })],
        ["talking", gettext("Until your phone has answered, %(voice)s goes on.", { voice })],
        phoneLine(),
      ],
      yes: gettext("Take over"),
    };
  }

  async enter(mode) {
    this.acts.tell("phone", "");
    this.become("phone");
    try {
      await this.phone.prepare();
    } catch (error) {
      this.giveUp(error);
      return;
    }
    if (this.step !== "phone") return;
    this.phone.answer();
    this.become("asked");
    const answered = await this.acts.do(`call.${mode}`, { phone: "browser" });
    this.command = answered?.command;
    if (!answered) this.giveUp();
  }

  async change(mode) {
    this.become("switch");
    this.wanted = mode;
    const answered = await this.acts.do(`call.${mode}`, { phone: "browser" });
    this.command = answered?.command;
    if (!answered) this.become("");
  }

  /** Out of the call; hanging up alone would do, but the server is told so that it is known at once. */
  async leave() {
    if (this.step === "leave" || (this.isAlone() && !(await sure(this.cutsOffWords())))) return;
    this.become("leave");
    const answered = await this.acts.do("call.leave", {}, { failed: (error) => this.failedToLeave(error) });
    this.phone.hangUp();
    if (!answered || !this.own) this.finish();
  }

  /** Who has hung up, or was put out meanwhile, is out. */
  failedToLeave({ code, text: words }) {
    if (this.own && !this.phone.busy) this.acts.tell("leave", words, { code });
  }

  become(step) {
    this.step = step;
    if (!step) this.command = null;
    this.state.tell(this.id);
  }

  /** Not connected: the phone goes, and what was wrong is said. */
  giveUp(error = null) {
    if (error) this.acts.tell("phone", gettext("You were not connected: %(text)s", { text: error.text }), { code: error.code });
    this.finish();
  }

  finish() {
    this.become("");
    if (this.phone.state !== "off") this.phone.stop();
  }

  /** The phone has changed: a ring that never came, a line that broke. */
  changed() {
    if (this.step === "asked" && !this.phone.expects && !this.phone.call && this.own?.state !== "in") {
      this.step = "";
      if (this.own) this.acts.do("call.leave", {}, { failed: () => {} });
      this.giveUp({ code: "", text: gettext("Your phone was not rung in time.") });
    }
    this.draw();
  }

  draw() {
    const { own } = this;
    this.follow(own);
    const live = this.state.calls.get(this.id)?.state !== "ended";
    this.strip.hidden = !live || !(own || this.step);
    if (!live && (this.step || this.phone.state !== "off")) queueMicrotask(() => this.finish());
    if (this.strip.hidden) {
      text(one("[data-text]", this.strip), ""); // a status that is over must not be read out later
      return;
    }
    mark(this.strip, "mode", own?.state === "in" ? own.mode : "");
    text(one("[data-text]", this.strip), this.inWords(own));
    this.trouble();
    const mute = one("[data-mute]", this.strip);
    mute.hidden = !this.phone.busy;
    mute.setAttribute("aria-pressed", String(this.phone.muted));
    icon(one("svg", mute), this.phone.muted ? "mic-off" : "mic");
    text(one("[data-word]", mute), this.phone.muted ? gettext("Unmute") : gettext("Mute"));
    const leave = one("[data-leave]", this.strip);
    leave.hidden = !own;
    showBusy(leave, this.step === "leave");
  }

  /** What the server says settles what this page waits for. */
  follow(own) {
    if (own) {
      this.seen = own.supervision;
      if (own.state === "in" && this.step === "asked") this.entered();
      if (this.step === "switch" && own.mode === this.wanted) this.become("");
    } else if (this.seen !== null) {
      const ended = this.state.supervisions.get(this.seen);
      this.seen = null;
      this.over(ended);
    }
    const command = this.state.commands.get(this.command);
    if (command?.state === "failed" && ["asked", "switch"].includes(this.step)) own ? this.become("") : this.giveUp();
  }

  entered() {
    if (listening.call === this.id) listening.stop(); // the phone carries the call now
    this.become("");
  }

  over(ended) {
    const left = this.step === "leave" || this.phone.busy || ended?.joined_at;
    if (this.step === "leave") this.acts.tell("phone", gettext("You have left the call."), { tone: "ok" });
    if (!left && this.step) this.acts.tell("phone", gettext("You were not connected: your phone did not answer."));
    queueMicrotask(() => this.finish());
  }

  inWords(own) {
    if (this.step === "phone") return gettext("Connecting the phone in this page…");
    if (this.step === "leave") return gettext("Leaving the call…");
    if (this.step === "switch") return this.wanted === "join" ? gettext("Joining the call…") : gettext("Going back to coaching…");
    if (this.step === "asked" || own?.state === "ringing") return gettext("Calling your phone; it answers by itself…");
    const words = this.partInWords(own);
    if (this.phone.busy) return this.phone.muted ? `${words} ${gettext("You are muted.")}` : words;
    return `${words} ${gettext("Your phone is not in this page.")}`;
  }

  /** Whom I speak with; who was taken over from a voice is brought to me first. */
  partInWords({ mode }) {
    const { agent, caller } = this.names;
    const call = this.state.calls.get(this.id);
    if (mode === "coach") return gettext("You coach %(agent)s. %(caller)s does not hear you.", { agent, caller });
    if (call.voice) return gettext("You are connected. %(caller)s is being brought to you…", { caller });
    if (!call.agent) return gettext("You speak with %(caller)s.", { caller });
    return gettext("You are in the call. %(agent)s and %(caller)s hear you.", { agent, caller });
  }

  trouble() {
    const { phone } = this;
    const place = one("[data-trouble]", this.strip);
    const broken = phone.callState === "reconnecting";
    place.hidden = !broken && !(phone.busy && phone.trouble);
    if (place.hidden) return;
    const { code, text: words } = broken ? { code: "", text: gettext("The sound broke off. It is tried again by itself.") } : troubleOf(phone.trouble);
    text(one("[data-words]", place), words);
    text(one("[data-code]", place), code ? String(code) : "");
  }
}

const phoneLine = () => ["mic", gettext("Your computer is the phone: it is called, and answers by itself.")];
