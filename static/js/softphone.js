// The seam to the phone in the browser: around window.Twilio.Device, be it Twilio's SDK or a stand-in.
//
// It knows nothing of offers or pages. States: off, starting, ready, lost (was ready; the SDK tries again by
// itself), failed. "change" is told when state, trouble, call or mute changed; "sounded" when the line was lost
// for less than three seconds, nothing is told: browsers do that when a page comes back from their cache.

import { chosen } from "./phone-devices.js";

const FLICKER_MS = 3_000;
const EXPECT_MS = 15_000;
const NAMES = ["incoming", "outgoing", "disconnect", ...[..."0123456789sh"].map((key) => `dtmf${key}`)];
const TOKEN_CODES = new Set([20101, 20104, 31204, 31205]);

export class Softphone extends EventTarget {
  state = "off";
  trouble = null; // {code, text} of the last error, until the phone is ready again
  call = null; // the SDK's call, from its first ring on
  callState = ""; // ringing, connecting, open, reconnecting
  muted = false;
  preflightOffered = false;
  #device = null;
  #ask;
  #sounds;
  #lost = null;
  #expected = null;
  #renewed = false;

  /** `ask()` resolves to {token, edge, preflight} or rejects with {code, text}; `sounds` is our folder of them. */
  constructor({ ask, sounds }) {
    super();
    this.#ask = ask;
    this.#sounds = sounds;
  }

  get ready() {
    return this.state === "ready" || (this.state === "lost" && this.#lost !== null);
  }

  /** Whether sound of a call goes through this page. */
  get busy() {
    return ["connecting", "open", "reconnecting"].includes(this.callState);
  }

  async start() {
    if (!["off", "failed"].includes(this.state)) return;
    this.trouble = null;
    this.#become("starting");
    try {
      const grant = await this.#ask();
      if (this.state !== "starting") return;
      this.token = grant.token;
      this.preflightOffered = grant.preflight === true;
      this.#open(grant);
      await this.#device.register();
    } catch (error) {
      this.#fail(error);
    }
  }

  stop() {
    clearTimeout(this.#lost);
    this.#lost = null;
    const device = this.#device;
    this.#device = null;
    device?.destroy();
    this.#drop();
    this.trouble = null;
    this.#become("off");
  }

  async restart() {
    this.stop();
    await this.start();
  }

  /** Answer what rings, or what will ring within some seconds. */
  answer() {
    clearTimeout(this.#expected);
    if (this.callState === "ringing") this.#accept();
    else this.#expected = setTimeout(() => this.forget(), EXPECT_MS);
    this.#tell();
  }

  get expects() {
    return this.#expected !== null;
  }

  forget() {
    clearTimeout(this.#expected);
    this.#expected = null;
    this.#tell();
  }

  reject() {
    this.forget();
    if (this.callState === "ringing") this.call.reject();
  }

  mute(on) {
    if (this.busy) this.call.mute(on);
  }

  press(keys) {
    if (this.busy) this.call.sendDigits(keys);
  }

  hangUp() {
    if (this.busy) this.call.disconnect();
  }

  /** Use what was chosen; the microphone is opened with each call, so that it is not open between calls. */
  async route() {
    const audio = this.#device?.audio;
    if (!audio?.isOutputSelectionSupported) return;
    const id = chosen("speaker");
    if (id && audio.availableOutputDevices.has(id)) await audio.speakerDevices.set(id).catch(() => {});
  }

  /** The phone's own try of the line; resolves to {ok, code, mos}. */
  preflight() {
    return new Promise((resolve) => {
      const test = window.Twilio.Device.runPreflight(this.token);
      test.on("completed", (report) => resolve({ ok: true, mos: report.stats?.mos?.average ?? null }));
      test.on("failed", (error) => resolve({ ok: false, code: error.code }));
    });
  }

  // the device

  #open({ token, edge }) {
    const Device = window.Twilio?.Device;
    if (!Device) throw { code: "script", text: "" };
    const sounds = Object.fromEntries(NAMES.map((name) => [name, `${this.#sounds}phone-${name}.wav`]));
    const device = new Device(token, { sounds, edge: edge || "roaming", closeProtection: false, logLevel: "silent" });
    this.#device = device;
    device.audio?.incoming?.(false); // the page rings: also for calls that come another way
    const mine = (act) => (...facts) => device === this.#device && act(...facts);
    device.on("registered", mine(() => this.#registered()));
    device.on("unregistered", mine(() => this.#unregistered()));
    device.on("error", mine((error) => this.#troubled(error)));
    device.on("tokenWillExpire", mine(() => this.#renew()));
    device.on("incoming", mine((call) => this.#incoming(call)));
  }

  #registered() {
    clearTimeout(this.#lost);
    this.#lost = null;
    this.#renewed = false;
    this.trouble = null;
    this.#become("ready");
    this.route();
  }

  #unregistered() {
    if (this.state !== "ready") return;
    this.state = "lost";
    this.#lost = setTimeout(() => {
      this.#lost = null;
      this.#tell();
    }, FLICKER_MS);
  }

  /** A token that is no longer taken is asked for anew, once. */
  #troubled(error) {
    if (TOKEN_CODES.has(error?.code) && !this.#renewed) {
      this.#renewed = true;
      this.#renew();
      return;
    }
    this.trouble = { code: error?.code ?? "", text: error?.message ?? "" };
    if (this.state === "starting") this.#become("failed");
    else this.#tell();
  }

  async #renew() {
    try {
      const { token } = await this.#ask();
      this.token = token;
      this.#device?.updateToken(token);
      if (this.#device?.state === "unregistered") await this.#device.register();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error) {
    if (this.state === "off") return;
    this.trouble ??= { code: error?.code ?? "", text: error?.text ?? error?.message ?? "" };
    if (this.state === "ready" && this.busy) this.#tell();
    else this.#become("failed");
  }

  // the call

  #incoming(call) {
    if (this.call) return;
    this.call = call;
    this.muted = false;
    this.callState = "ringing";
    const mine = (act) => (...facts) => call === this.call && act(...facts);
    call.on("accept", mine(() => this.#set("open")));
    call.on("reconnecting", mine(() => this.#set("reconnecting")));
    call.on("reconnected", mine(() => this.#set("open")));
    call.on("mute", mine((on) => this.#mutes(on)));
    for (const event of ["cancel", "reject", "disconnect"]) call.on(event, mine(() => this.#drop()));
    call.on("error", mine((error) => this.#failedCall(call, error)));
    this.dispatchEvent(new Event("incoming"));
    if (this.#expected !== null) this.#accept();
    this.#tell();
  }

  #accept() {
    clearTimeout(this.#expected);
    this.#expected = null;
    this.callState = "connecting";
    const id = chosen("input");
    this.call.accept({ rtcConstraints: { audio: id ? { deviceId: { ideal: id } } : true } });
  }

  #set(state) {
    this.callState = state;
    this.#tell();
  }

  #mutes(on) {
    this.muted = on;
    this.#tell();
  }

  #failedCall(call, error) {
    this.trouble = { code: error?.code ?? "", text: error?.message ?? "" };
    if (call.status() === "closed") this.#drop();
    else this.#tell();
  }

  #drop() {
    this.call = null;
    this.callState = "";
    this.muted = false;
    this.#tell();
  }

  #become(state) {
    this.state = state;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
