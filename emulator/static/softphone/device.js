// The telephone of a page, with the methods, states and events of Twilio.Device.

import { Call } from "./call.js";
import { Devices } from "./devices.js";
import { Emitter } from "./emitter.js";
import { CALL_DIRECTION, CALL_STATE, DEVICE_STATE, EVENT_NAME, SOUND_NAME } from "./enums.js";
import { InvalidArgumentError, InvalidStateError, NotSupportedError, TwilioError, fromServer } from "./errors.js";
import { PageLife } from "./page.js";
import { PreflightTest } from "./preflight.js";
import { Signalling } from "./signalling.js";
import { contextFor } from "./sound.js";
import { Tone } from "./tones.js";

const DEFAULTS = {
  allowIncomingWhileBusy: false,
  closeProtection: false,
  codecPreferences: ["pcmu", "opus"],
  enableImprovedSignalingErrorPrecision: false,
  sounds: {},
  tokenRefreshMs: 10000,
};

export class Device extends Emitter {
  static State = DEVICE_STATE;
  static EventName = EVENT_NAME;
  static SoundName = SOUND_NAME;
  static packageName = "@twilio/voice-sdk";
  static version = "2.18.5";
  static extension = "mp3";
  static toString = () => "[Twilio.Device class]";

  static runPreflight(token) {
    return new PreflightTest(token);
  }

  static get isSupported() {
    return [window.WebSocket, window.AudioWorkletNode, navigator.mediaDevices?.getUserMedia].every(Boolean);
  }

  static get audioContext() {
    return contextFor("voice");
  }

  #token;
  #options = DEFAULTS;
  #state = DEVICE_STATE.Unregistered;
  #identity = null;
  #place = { edge: null, home: null };
  #signalling = null;
  #audio = null;
  #calls = [];
  #active = null;
  #making = false;
  #comesBack = false;
  #expiry = null;
  #tones = new Map();
  #page;

  constructor(token, options = {}) {
    super();
    this.updateToken(token);
    this.updateOptions(options);
    this.#audio = new Devices(() => this.#options, (stream) => this.#changeInput(stream));
    this.#page = new PageLife({
      protection: () => this.#active && this.#options.closeProtection,
      idle: () => !this.#calls.length && !this.#active && !this.#making,
      sleep: () => this.#quiet(),
      wake: () => this.#registerAgain(),
      end: () => this.destroy(),
    });
  }

  get audio() {
    return this.#audio;
  }

  get calls() {
    return this.#calls;
  }

  get edge() {
    return this.#place.edge;
  }

  get home() {
    return this.#place.home;
  }

  get identity() {
    return this.#identity;
  }

  get isBusy() {
    return this.#active !== null;
  }

  get state() {
    return this.#state;
  }

  get token() {
    return this.#token;
  }

  toString() {
    return "[Twilio.Device instance]";
  }

  updateToken(token) {
    this.#mustLive("updateToken");
    if (typeof token !== "string") throw new InvalidArgumentError('Parameter "token" must be of type "string".');
    this.#token = token;
    if (this.#signalling) this.#signalling.token = token;
  }

  updateOptions(options = {}) {
    this.#mustLive("updateOptions");
    this.#options = { ...this.#options, ...options };
    this.#tones.forEach((tone) => tone.stop());
    this.#tones.clear();
  }

  async register() {
    if (this.#state !== DEVICE_STATE.Unregistered) throw this.#wrongState("register", DEVICE_STATE.Unregistered);
    this.#comesBack = false;
    this.#become(DEVICE_STATE.Registering);
    const settled = new Promise((resolve, reject) => {
      this.once(DEVICE_STATE.Registered, resolve);
      this.once(DEVICE_STATE.Unregistered, reject);
    });
    settled.catch(() => {});
    await this.#connected();
    this.#signalling.send("register");
    await settled;
  }

  async unregister() {
    if (this.#state !== DEVICE_STATE.Registered) throw this.#wrongState("unregister", DEVICE_STATE.Registered);
    this.#comesBack = false;
    const done = new Promise((resolve) => { this.once(DEVICE_STATE.Unregistered, resolve); });
    this.#signalling.send("unregister");
    await done;
    this.#comesBack = false;
  }

  async connect(options = {}) {
    if (this.#state === DEVICE_STATE.Destroyed) throw new InvalidStateError("Device has been destroyed.");
    if (this.#active || this.#making) throw new InvalidStateError("A Call is already active");
    if (options.connectToken) throw new NotSupportedError("The emulator's softphone does not take connectToken");
    this.#making = true;
    try {
      await this.#connected();
      this.#active = this.#call({ custom: options.params ?? {} });
    } finally {
      this.#making = false;
    }
    for (const call of this.#calls.splice(0)) call.ignore();
    this.#tone("incoming").stop();
    this.#active.accept(options);
    return this.#active;
  }

  disconnectAll() {
    for (const call of this.#calls.splice(0)) call.disconnect();
    this.#active?.disconnect();
  }

  destroy() {
    if (this.#state === DEVICE_STATE.Destroyed) return;
    for (const call of [...this.#calls]) call.reject();
    this.disconnectAll();
    this.#quiet();
    this.#audio.destroy();
    this.#audio = null;
    this.#page.stop();
    this.#become(DEVICE_STATE.Destroyed);
    this.removeAllListeners();
  }

  // the line

  /** The line, once the emulator knows who this is; rejected when the token opens nothing. */
  #connected() {
    if (this.#signalling?.identified) return Promise.resolve();
    const line = this.#signalling ?? this.#openLine();
    return new Promise((resolve, reject) => {
      line.once("connected", resolve);
      line.once("closed", reject);
    });
  }

  #openLine() {
    const line = new Signalling(this.#token);
    this.#signalling = line;
    line.on("connected", (message) => this.#welcome(message));
    line.on("registered", () => this.#become(DEVICE_STATE.Registered));
    line.on("unregistered", () => this.#offline(false));
    line.on("incoming", (message) => this.#ring(message));
    line.on("failed", ({ error }) => this.#fail(this.#fault(error)));
    line.on("lost", ({ reason, first }) => {
      this.#offline(true);
      if (first) this.#fail(new TwilioError(31005, reason));
    });
    line.on("closed", () => {
      this.#signalling = null;
      this.#offline(false);
    });
    line.open();
    return line;
  }

  #welcome({ identity, ttl, edge, home }) {
    this.#identity = identity;
    this.#place = { edge, home };
    clearTimeout(this.#expiry);
    const left = Math.min(Math.max(0, ttl * 1000 - this.#options.tokenRefreshMs), 2 ** 31 - 1);
    this.#expiry = setTimeout(() => this.emit(EVENT_NAME.TokenWillExpire, this), left);
    this.#registerAgain();
  }

  #registerAgain() {
    if (this.#comesBack && this.#state === DEVICE_STATE.Unregistered) this.register().catch(() => {});
  }

  /** Registered no more; `broken` when the line is gone as well. It registers again when it comes back. */
  #offline(broken) {
    if (broken) this.#place = { edge: null, home: null };
    this.#comesBack ||= this.#state !== DEVICE_STATE.Unregistered;
    if (this.#state !== DEVICE_STATE.Destroyed) this.#become(DEVICE_STATE.Unregistered);
  }

  #quiet() {
    clearTimeout(this.#expiry);
    this.#signalling?.close();
    this.#signalling = null;
    this.#offline(true);
  }

  #become(state) {
    if (state === this.#state) return;
    this.#state = state;
    this.emit(state);
  }

  #fault(error) {
    return fromServer(error, this.#options.enableImprovedSignalingErrorPrecision, 53000);
  }

  #fail(error) {
    if (this.listenerCount("error")) this.emit("error", error);
    else console.error("[softphone]", error);
  }

  // calls

  #call(facts) {
    const phone = {
      signalling: this.#signalling,
      devices: this.#audio,
      options: () => this.#options,
      tone: (name) => this.#tone(name),
      beforeAccept: (call) => this.#beforeAccept(call),
      ignored: (call) => { if (this.#calls.includes(call)) this.#stopRinging(call, false); },
    };
    const call = new Call(phone, facts);
    call.once("accept", () => {
      this.#remove(call);
      this.#active = call;
      if (call.direction === CALL_DIRECTION.Outgoing && this.#audio?.outgoing()) this.#tone("outgoing").play();
    });
    for (const event of ["cancel", "reject", "disconnect"]) call.once(event, () => this.#remove(call));
    call.on("error", () => { if (call.status() === CALL_STATE.Closed) this.#remove(call); });
    return call;
  }

  #ring({ parameters, custom }) {
    const busy = this.#active !== null || this.#making;
    // Like a telephone that does not ring while it is in use: the caller hears it ring.
    if (busy && !this.#options.allowIncomingWhileBusy) return;
    const call = this.#call({ parameters, custom, incoming: true });
    this.#calls.push(call);
    if (this.#audio.incoming() && !busy) this.#tone("incoming").play();
    this.emit(EVENT_NAME.Incoming, call);
  }

  /** The call that is accepted is the only one that is heard. */
  #beforeAccept(call) {
    this.#tone("incoming").stop();
    if (!this.#active || this.#active === call) {
      this.#active = call;
      return;
    }
    const other = this.#active;
    this.#active = call;
    other.disconnect();
  }

  #remove(call) {
    if (this.#active === call) this.#active = null;
    this.#stopRinging(call, true);
  }

  #stopRinging(call, forget) {
    if (forget) this.#calls = this.#calls.filter((one) => one !== call);
    if (!this.#calls.some((one) => one.status() === CALL_STATE.Pending)) this.#tone("incoming").stop();
  }

  #tone(name) {
    if (!this.#tones.has(name)) {
      const use = name === "incoming" ? "ring" : "voice";
      this.#tones.set(name, new Tone(name, () => contextFor(use), this.#options.sounds[name] ?? null));
    }
    return this.#tones.get(name);
  }

  #changeInput(stream) {
    if (!this.#active) return;
    if (!stream) throw new InvalidStateError("Cannot unset input device while a call is in progress.");
    this.#active.replaceInput(stream);
  }

  #mustLive(method) {
    if (this.#state !== DEVICE_STATE.Destroyed) return;
    throw new InvalidStateError(`Attempt to "${method}" when device is in state "destroyed".`);
  }

  #wrongState(method, wanted) {
    return new InvalidStateError(`Attempt to ${method} when device is in state "${this.#state}". Must be "${wanted}".`);
  }
}

const Twilio = (window.Twilio ??= {});
Twilio.Call ??= Call;
Twilio.Device ??= Device;
Twilio.PreflightTest ??= PreflightTest;
