// `device.audio`: which microphones and loudspeakers there are and which are used, and which sounds are on.

import { Emitter } from "./emitter.js";
import { InvalidArgumentError, InvalidStateError, NotSupportedError } from "./errors.js";
import { contextFor, routeTo, volume } from "./sound.js";
import { Tone } from "./tones.js";

const LEVEL_MS = 50;

/** The loudspeakers of one use, as Twilio's SDK shows them; the first of them is heard. */
class OutputDevices {
  #use;
  #available;
  #active = new Set();

  constructor(use, available) {
    this.#use = use;
    this.#available = available;
  }

  get() {
    return this.#active;
  }

  async set(idOrIds) {
    const ids = [idOrIds].flat();
    const missing = ids.filter((id) => !this.#available.has(id));
    if (!ids.length) throw new InvalidArgumentError("Must specify at least one device to set");
    if (missing.length) throw new InvalidArgumentError(`Devices not found: ${missing.join(", ")}`);
    await routeTo(this.#use, ids[0]);
    this.#active.clear();
    for (const id of ids) this.#active.add(this.#available.get(id));
  }

  delete(device) {
    const was = this.#active.delete(device);
    const other = this.#available.get("default") ?? this.#available.values().next().value;
    if (was && !this.#active.size && other) this.set(other.deviceId).catch(() => {});
    return was;
  }

  async test(url) {
    await new Tone("outgoing", () => contextFor(this.#use), url ?? null).play();
  }
}

export class Devices extends Emitter {
  availableInputDevices = new Map();
  availableOutputDevices = new Map();
  isOutputSelectionSupported = typeof AudioContext !== "undefined" && "setSinkId" in AudioContext.prototype;
  isVolumeSupported = typeof AudioContext !== "undefined";
  speakerDevices = new OutputDevices("voice", this.availableOutputDevices);
  ringtoneDevices = new OutputDevices("ring", this.availableOutputDevices);
  #options;
  #changed;
  #enabled = { incoming: true, outgoing: true, disconnect: true };
  #constraints = null;
  #device = null;
  #stream = null;
  #meter = null;
  #look = () => this.#update();

  /** `changed(stream)` is told of another microphone, null for none; it may refuse by throwing. */
  constructor(options, changed) {
    super();
    this.#options = options;
    this.#changed = changed;
    navigator.mediaDevices?.addEventListener("devicechange", this.#look);
    this.#update();
  }

  get audioConstraints() {
    return this.#constraints;
  }

  get inputDevice() {
    return this.#device;
  }

  get inputStream() {
    return this.#stream;
  }

  get processedStream() {
    return null;
  }

  get localProcessedStream() {
    return null;
  }

  get remoteProcessedStream() {
    return null;
  }

  incoming(enable) {
    return this.#toggle("incoming", enable);
  }

  outgoing(enable) {
    return this.#toggle("outgoing", enable);
  }

  disconnect(enable) {
    return this.#toggle("disconnect", enable);
  }

  async setInputDevice(id) {
    if (typeof id !== "string") throw new InvalidArgumentError("Must specify the device to set");
    const device = this.availableInputDevices.get(id);
    if (!device) throw new InvalidArgumentError(`Device not found: ${id}`);
    this.#use(await this.open({ ...this.#constraints, deviceId: { exact: id } }), device);
    this.#update();
  }

  async unsetInputDevice() {
    if (!this.#device) return;
    this.#changed(null);
    this.#release();
    this.#device = null;
  }

  async setAudioConstraints(constraints) {
    this.#constraints = { ...constraints };
    delete this.#constraints.deviceId;
    if (this.#device) await this.setInputDevice(this.#device.deviceId);
  }

  async unsetAudioConstraints() {
    this.#constraints = null;
    if (this.#device) await this.setInputDevice(this.#device.deviceId);
  }

  async addProcessor() {
    throw new NotSupportedError("The emulator's softphone has no audio processors");
  }

  async removeProcessor() {
    throw new InvalidStateError("No audio processor was added");
  }

  /** A microphone's stream; `audio` as getUserMedia takes it. */
  async open(audio = this.#constraints ?? true) {
    const media = navigator.mediaDevices;
    const ask = this.#options().getUserMedia ?? media?.getUserMedia?.bind(media);
    if (!ask) throw new NotSupportedError("This page may not ask for a microphone; it needs https or localhost");
    const stream = await ask({ audio });
    this.#update();
    return stream;
  }

  destroy() {
    navigator.mediaDevices?.removeEventListener("devicechange", this.#look);
    this.#release();
    this.removeAllListeners();
  }

  #toggle(name, enable) {
    if (typeof enable === "boolean") this.#enabled[name] = enable;
    return this.#enabled[name];
  }

  #use(stream, device) {
    this.#changed(stream);
    this.#release();
    this.#stream = stream;
    this.#device = device;
    const context = contextFor("voice");
    const source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    const analyser = new AnalyserNode(context, { fftSize: 1024 });
    source.connect(analyser);
    this.#meter = { source, timer: setInterval(() => this.#measure(analyser), LEVEL_MS) };
  }

  #measure(analyser) {
    if (!this.listenerCount("inputVolume")) return;
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
    this.emit("inputVolume", volume(Math.sqrt(power)));
  }

  #release() {
    clearInterval(this.#meter?.timer);
    this.#meter?.source.disconnect();
    this.#meter = null;
    this.#stream?.getTracks().forEach((track) => track.stop());
    this.#stream = null;
  }

  async #update() {
    const media = navigator.mediaDevices;
    const ask = this.#options().enumerateDevices ?? media?.enumerateDevices?.bind(media);
    const found = (await ask?.().catch(() => [])) ?? [];
    const lost = [
      ...this.#compare(this.availableInputDevices, found.filter((one) => one.kind === "audioinput")),
      ...this.#compare(this.availableOutputDevices, found.filter((one) => one.kind === "audiooutput")),
    ];
    const active = lost.filter((device) => this.#lose(device));
    for (const outputs of [this.speakerDevices, this.ringtoneDevices]) {
      const standard = this.availableOutputDevices.get("default");
      if (standard && !outputs.get().size) outputs.get().add(standard);
    }
    this.emit("deviceChange", active);
  }

  /** Bring a map of devices up to date; those that are gone. */
  #compare(known, found) {
    const ids = new Set(found.map((device) => device.deviceId));
    const lost = [...known.values()].filter((device) => !ids.has(device.deviceId));
    for (const device of lost) known.delete(device.deviceId);
    found.forEach((device, number) => known.set(device.deviceId, named(device, number)));
    return lost;
  }

  #lose(device) {
    if (device.kind === "audiooutput") {
      return [this.speakerDevices, this.ringtoneDevices].map((outputs) => outputs.delete(device)).some(Boolean);
    }
    if (this.#device?.deviceId !== device.deviceId) return false;
    const other = this.availableInputDevices.get("default") ?? this.availableInputDevices.values().next().value;
    if (other) this.setInputDevice(other.deviceId).catch(() => {});
    return true;
  }
}

/** Before a page may use a microphone, devices have no label; they get one that can be shown. */
function named(device, number) {
  const kind = device.kind === "audioinput" ? "Input" : "Output";
  const { deviceId, groupId } = device;
  return { deviceId, groupId, kind: device.kind, label: device.label || `Unknown Audio ${kind} Device ${number + 1}` };
}
