// One call, with the methods, states and events of Twilio.Call.

import { Emitter } from "./emitter.js";
import { CALL_DIRECTION, CALL_STATE, CODEC, FEEDBACK_ISSUE, FEEDBACK_SCORE } from "./enums.js";
import { InvalidArgumentError, InvalidStateError, TwilioError, fromServer } from "./errors.js";
import { Keys } from "./keys.js";
import { Sound } from "./sound.js";
import { Stats } from "./stats.js";
import { keySound } from "./tones.js";

/** A random id: a prefix and 32 hex digits. */
function randomId(prefix) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return prefix + [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Call extends Emitter {
  static State = CALL_STATE;
  static CallDirection = CALL_DIRECTION;
  static Codec = CODEC;
  static FeedbackIssue = FEEDBACK_ISSUE;
  static FeedbackScore = FEEDBACK_SCORE;
  static toString = () => "[Twilio.Call class]";

  parameters;
  customParameters;
  callerInfo = null;
  outboundConnectionId = randomId("TJS");
  connectToken = undefined;
  #phone;
  #direction;
  #status = Call.State.Pending;
  #sound;
  #stats;
  #stream = null;
  #answered = false;
  #heard = false;
  #keys = new Keys((key) => this.#press(key));
  #messages = new Map();
  #listening = [];

  /** `phone` is what a Device shares with its calls: signalling, devices, options(), tone(name) and two hooks. */
  constructor(phone, { parameters = {}, custom = {}, incoming = false }) {
    super();
    this.#phone = phone;
    this.parameters = parameters;
    this.customParameters = new Map(Object.entries(custom).map(([name, value]) => [name, String(value)]));
    this.#direction = incoming ? Call.CallDirection.Incoming : Call.CallDirection.Outgoing;
    this.#sound = new Sound((frame) => this.#say(frame));
    this.#stats = new Stats(this, this.#sound, phone.signalling);
    // An error that the application does not listen for is no reason to stop.
    this.on("error", () => {});
    for (const type of ["ringing", "answer", "cancel", "hangup", "message", "sent"]) this.#listen(type, true);
    for (const type of ["resumed", "lost", "sound"]) this.#listen(type, false);
  }

  get direction() {
    return this.#direction;
  }

  get codec() {
    return this.#heard ? Call.Codec.PCMU : undefined;
  }

  status() {
    return this.#status;
  }

  isMuted() {
    return this.#sound.muted;
  }

  getLocalStream() {
    return this.#sound.localStream;
  }

  getRemoteStream() {
    return this.#sound.remoteStream;
  }

  toString() {
    return "[Twilio.Call instance]";
  }

  accept({ rtcConstraints = {} } = {}) {
    if (this.#status !== Call.State.Pending) return;
    this.#status = Call.State.Connecting;
    this.#phone.beforeAccept(this);
    this.#connect(rtcConstraints.audio);
  }

  reject() {
    if (this.#status !== Call.State.Pending) return;
    this.#phone.signalling.send("reject", { call: this.#id });
    this.#close();
    this.emit("reject");
  }

  /** Stop ringing here; the caller does not notice, and `cancel` still comes when the call is over. */
  ignore() {
    if (this.#status !== Call.State.Pending) return;
    this.#status = Call.State.Closed;
    this.#phone.signalling.send("ignore", { call: this.#id });
    this.#phone.ignored(this);
  }

  disconnect() {
    if (!this.#isActive()) return;
    this.#phone.signalling.send("hangup", { call: this.#id });
    this.#end();
  }

  mute(should = true) {
    if (this.#sound.muted === Boolean(should)) return;
    this.#sound.muted = Boolean(should);
    this.emit("mute", this.#sound.muted, this);
  }

  sendDigits(digits) {
    this.#keys.send(digits);
  }

  sendMessage({ content, contentType = "application/json", messageType } = {}) {
    if (content === undefined || content === null) throw new InvalidArgumentError("`content` is empty");
    if (typeof messageType !== "string" || !messageType) {
      throw new InvalidArgumentError("`messageType` must be a non-empty string.");
    }
    if (!this.parameters.CallSid) throw new InvalidStateError("Could not send CallMessage; Call has no CallSid");
    const voiceEventSid = randomId("KX");
    this.#messages.set(voiceEventSid, { content, contentType, messageType, voiceEventSid });
    this.#phone.signalling.send("message", { call: this.#id, id: voiceEventSid, content });
    return voiceEventSid;
  }

  async postFeedback(score, issue) {
    if (score === undefined || score === null) return;
    const known = Object.values(FEEDBACK_SCORE).includes(score);
    if (!known) throw new InvalidArgumentError("Feedback score must be 1 to 5");
    const sensible = !issue || Object.values(FEEDBACK_ISSUE).includes(issue);
    if (!sensible) throw new InvalidArgumentError(`Unknown feedback issue: ${issue}`);
  }

  /** Another microphone, for the Device. */
  replaceInput(stream) {
    if (this.#isActive() && this.#sound.localStream) this.#sound.replace(stream);
  }

  get #id() {
    return this.parameters.CallSid ?? this.outboundConnectionId;
  }

  #isActive() {
    return ![Call.State.Pending, Call.State.Closed].includes(this.#status);
  }

  // from the emulator

  #listen(type, own) {
    const names = (call) => call === this.parameters.CallSid || call === this.outboundConnectionId;
    const listener = (message) => { if (!own || names(message.call)) this[`_${type}`](message); };
    this.#listening.push([type, listener]);
    this.#phone.signalling.on(type, listener);
  }

  _ringing({ sid, early }) {
    this.parameters.CallSid = sid;
    if (this.#status !== Call.State.Connecting) return;
    this.#status = Call.State.Ringing;
    this.emit("ringing", early);
  }

  _answer({ reconnect }) {
    this.#answered = true;
    this.#phone.signalling.reconnect = reconnect;
    this.#open();
  }

  _cancel() {
    this.#close();
    this.emit("cancel");
  }

  _hangup({ error }) {
    if (!this.#isActive()) return;
    if (error) this.emit("error", this.#fault(error));
    this.#end();
  }

  _message({ content }) {
    const shape = { contentType: "application/json", messageType: "user-defined-message" };
    this.emit("messageReceived", { content, ...shape, voiceEventSid: randomId("KX") });
  }

  _sent({ id }) {
    const message = this.#messages.get(id);
    this.#messages.delete(id);
    if (message) this.emit("messageSent", message);
  }

  _sound(frame) {
    if (!this.#isActive()) return;
    this.#stats.received();
    this.#sound.play(frame);
  }

  /** The line broke: a call that was open waits for it, another is over. */
  _lost() {
    if (this.#status === Call.State.Open) {
      this.#status = Call.State.Reconnecting;
      this.emit("reconnecting", new TwilioError(53001));
    } else if (this.#status === Call.State.Pending) {
      this._cancel();
    } else if (this.#status !== Call.State.Reconnecting && this.#isActive()) {
      this.emit("error", new TwilioError(31005));
      this.#end();
    }
  }

  _resumed({ call }) {
    if (this.#status !== Call.State.Reconnecting) return;
    if (call === this.parameters.CallSid) {
      this.#status = Call.State.Open;
      this.emit("reconnected");
    } else {
      this.emit("error", new TwilioError(31005, "The call ended while the connection was broken"));
      this.#end();
    }
  }

  // its course

  async #connect(audio) {
    const chosen = this.#phone.devices.inputStream;
    try {
      const stream = chosen ?? (await this.#phone.devices.open(audio));
      if (!chosen) this.#stream = stream;
      if (this.#isActive()) await this.#sound.open(stream);
    } catch (error) {
      this.#failToHear(error);
      return;
    }
    if (!this.#isActive()) {
      this.#release();
      return;
    }
    this.#heard = true;
    const params = Object.fromEntries(this.customParameters);
    if (this.#direction === Call.CallDirection.Incoming) this.#phone.signalling.send("accept", { call: this.#id });
    else this.#phone.signalling.send("invite", { call: this.#id, params });
  }

  #open() {
    if (!this.#answered || !this.#heard || this.#status === Call.State.Open || !this.#isActive()) return;
    this.#status = Call.State.Open;
    this.#stats.start();
    this.emit("accept", this);
  }

  #failToHear(error) {
    const denied = ["NotAllowedError", "PermissionDeniedError"].includes(error.name);
    console.warn("[softphone] no microphone:", error);
    if (this.#isActive()) {
      this.#phone.signalling.send("hangup", { call: this.#id });
      this.#end();
    }
    this.emit("error", new TwilioError(denied ? 31401 : 31402, error.message, error));
  }

  #fault(error) {
    return fromServer(error, this.#phone.options().enableImprovedSignalingErrorPrecision, 31005);
  }

  #end() {
    this.#close();
    if (this.#phone.devices.disconnect()) this.#phone.tone("disconnect").play();
    this.emit("disconnect", this);
  }

  #close() {
    this.#status = Call.State.Closed;
    this.#stats.stop();
    this.#sound.close();
    this.#release();
    this.#phone.signalling.reconnect = "";
    for (const [type, listener] of this.#listening) this.#phone.signalling.off(type, listener);
  }

  #release() {
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
  }

  #say(frame) {
    if (!this.#isActive() || this.#status === Call.State.Reconnecting) return;
    this.#stats.sent();
    this.#phone.signalling.speak(frame);
  }

  #press(key) {
    if (!this.#isActive()) return;
    this.#phone.tone(keySound(key)).play();
    this.#phone.signalling.send("digits", { call: this.#id, digits: key });
  }
}
