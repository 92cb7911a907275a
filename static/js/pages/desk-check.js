// The device check: microphone, speaker, network. It has to be passed once a day before calls may ring here.

import { make, mark, one, text, keep, kept } from "../dom.js";
import { gettext } from "../i18n.js";
import { choose, chosen, devices, HEARD_DB, Meter, play, udp } from "../phone-devices.js";
import { BLOCKED, NO_MICROPHONE, phoneError } from "./desk-words.js";
import { showBadge } from "./pieces.js";

const STEPS = ["microphone", "speaker", "network"];
const BADGES = {
  "": { word: gettext("Not yet"), tone: "", icon: "none" },
  wait: { word: gettext("Trying"), tone: "", icon: "none" },
  ok: { word: gettext("Good"), tone: "ok", icon: "ok" },
  warn: { word: gettext("May be poor"), tone: "warn", icon: "bang" },
  bad: { word: gettext("Not good"), tone: "bad", icon: "bang" },
};
const today = () => new Date().toDateString();

export class Check {
  /** `desk` has phone, act(), redraw(); `goReady()` sets Ready. */
  constructor(desk, sounds) {
    this.desk = desk;
    this.sound = `${sounds}phone-incoming.wav`;
    this.box = one("#check");
    this.results = {};
    const on = (hook, act) => one(`[${hook}]`, this.box).addEventListener("click", act);
    on("data-play", () => this.play());
    on("data-heard", () => this.settle("speaker", "ok", gettext("You hear the desk.")));
    on("data-unheard", () => this.settle("speaker", "bad", gettext("Choose another speaker, or turn it up, and play the sound again.")));
    on("data-close", () => this.box.close());
    on("data-go-ready", () => this.ready());
    this.box.addEventListener("close", () => this.end());
    for (const use of ["input", "speaker", "ring"]) one(`[data-${use}]`, this.box).addEventListener("change", ({ target }) => this.chose(use, target.value));
    desk.phone.addEventListener("change", () => this.box.open && this.results.network === "wait" && this.network());
  }

  passed() {
    return kept("desk-checked") === today();
  }

  open(toReady = false) {
    if (this.box.open) return;
    this.toReady = toReady;
    this.results = {};
    this.box.showModal();
    for (const step of STEPS) this.settle(step, "", "");
    text(this.textOf("speaker"), gettext("Play a sound and say whether it was heard."));
    this.network();
    this.microphone();
  }

  end() {
    this.meter?.close();
    this.meter = null;
    this.audio?.pause();
    this.desk.redraw();
  }

  ready() {
    this.box.close();
    this.desk.goReady();
  }

  settle(step, result, words) {
    this.results[step] = result;
    const row = one(`[data-step="${step}"]`, this.box);
    showBadge(one("[data-badge]", row), BADGES[result]);
    text(this.textOf(step), words);
    const passed = STEPS.every((name) => ["ok", "warn"].includes(this.results[name]));
    if (passed && !this.passed()) {
      keep("desk-checked", today());
      this.desk.redraw();
    }
    one("[data-go-ready]", this.box).hidden = !passed || (this.desk.state.me.status === "ready" && !this.toReady);
  }

  textOf(step) {
    return one("[data-text]", one(`[data-step="${step}"]`, this.box));
  }

  // microphone

  async microphone() {
    this.meter?.close();
    this.meter = null;
    this.settle("microphone", "wait", gettext("Say something."));
    one("[data-blocked]", this.box).hidden = true;
    try {
      const meter = await Meter.open(chosen("input"), (db) => this.heard(db));
      if (!this.box.open) meter.close();
      else this.meter = meter;
    } catch (error) {
      this.unheard(error);
    }
    await this.list();
  }

  heard(db) {
    mark(one("[data-level]", this.box), "level", String(Math.round((db + 60) / 5)));
    if (db > HEARD_DB && this.results.microphone === "wait") this.settle("microphone", "ok", gettext("You are heard."));
  }

  unheard(error) {
    const blocked = error?.name === "NotAllowedError";
    const words = navigator.mediaDevices ? (blocked ? BLOCKED : phoneError({ code: 31402 })) : NO_MICROPHONE;
    const note = one("[data-blocked]", this.box);
    note.hidden = false;
    text(note, words);
    this.settle("microphone", "bad", blocked ? gettext("The browser blocks it.") : gettext("No sound comes from it."));
  }

  async list() {
    const { inputs, outputs } = await devices();
    const put = (use, found) => {
      const select = one(`[data-${use}]`, this.box);
      const option = (id, label) => Object.assign(make("option", "", label), { value: id });
      select.replaceChildren(option("", gettext("As the system says")), ...found.map(({ id, label }) => option(id, label)));
      select.value = found.some(({ id }) => id === chosen(use)) ? chosen(use) : "";
    };
    put("input", inputs);
    put("speaker", outputs);
    put("ring", outputs);
  }

  chose(use, id) {
    choose(use, id);
    if (use === "input") this.microphone();
    else {
      this.desk.phone.route();
      this.play(use);
    }
  }

  // speaker

  async play(use = "speaker") {
    this.audio?.pause();
    this.audio = await play(this.sound, use).catch(() => null);
    for (const hook of ["heard", "unheard"]) one(`[data-${hook}]`, this.box).disabled = !this.audio;
    if (!this.audio) this.settle("speaker", "bad", gettext("The browser plays no sound. Choose another speaker."));
  }

  // network

  async network() {
    const { phone } = this.desk;
    if (this.desk.state.me.phone !== "browser") {
      this.settle("network", "", gettext("Choose “In the browser” under My phone to try it."));
      return;
    }
    if (["off", "failed"].includes(phone.state)) await phone.start();
    if (phone.state === "starting") {
      this.settle("network", "wait", gettext("Connecting to Twilio …"));
      return;
    }
    if (!phone.ready) {
      this.settle("network", "bad", phoneError(phone.trouble ?? { code: 31009 }));
      return;
    }
    this.settle("network", "wait", gettext("Connected to Twilio. Trying the way of the voices …"));
    const [result, words] = phone.preflightOffered ? line(await phone.preflight()) : way(await udp());
    if (this.box.open) this.settle("network", result, words);
  }
}

function line({ ok, code, mos }) {
  if (!ok) return ["bad", phoneError({ code })];
  return mos !== null && mos < 3.5 ? ["warn", gettext("Voices may be hard to understand on this network.")] : ["ok", gettext("The network carries voices well.")];
}

function way(udpOut) {
  if (udpOut === "yes") return ["ok", gettext("Connected to Twilio, and the way of the voices (UDP) is open.")];
  return ["warn", gettext("Connected to Twilio, but UDP seems to be blocked: voices take a detour and may be poor.")];
}
