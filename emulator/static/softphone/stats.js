// What a call tells about its quality while it lasts: volumes, a sample each second, warnings.

import { volume } from "./sound.js";

const VOLUME_MS = 50;
const SAMPLE_MS = 1000;
const FRAME_BYTES = 160;
const FRAME_MS = 20;
const CONSTANT_SAMPLES = 10;
const SILENT_SAMPLES = 3;

/** Mean opinion score, 1 to 4.5, of a line with that round trip and jitter in ms (ITU-T G.107, shortened). */
export function mos(rtt, jitter) {
  const latency = rtt + jitter * 2 + 10;
  const quality = Math.max(0, 93.2 - (latency < 160 ? latency / 40 : (latency - 120) / 10));
  return 1 + 0.035 * quality + 0.000007 * quality * (quality - 60) * (100 - quality);
}

export class Stats {
  #call;
  #sound;
  #signalling;
  #timers = [];
  #sent = 0;
  #received = 0;
  #arrived = 0;
  #jitter = 0;
  #last = { sent: 0, received: 0, level: null, constant: 0, silent: 0 };
  #warned = new Set();

  constructor(call, sound, signalling) {
    this.#call = call;
    this.#sound = sound;
    this.#signalling = signalling;
  }

  start() {
    this.#timers = [
      setInterval(() => this.#tellVolume(), VOLUME_MS),
      setInterval(() => this.#sample(), SAMPLE_MS),
    ];
  }

  stop() {
    this.#timers.forEach(clearInterval);
  }

  sent() {
    this.#sent += 1;
  }

  /** Jitter as RFC 3550 counts it: how far arrivals are from one every 20 ms, smoothed. */
  received() {
    const now = performance.now();
    if (this.#received) this.#jitter += (Math.abs(now - this.#arrived - FRAME_MS) - this.#jitter) / 16;
    this.#arrived = now;
    this.#received += 1;
  }

  #tellVolume() {
    this.#call.emit("volume", volume(this.#sound.input), volume(this.#sound.output));
  }

  #sample() {
    const jitter = Math.round(this.#jitter);
    const bytes = { bytesReceived: this.#received * FRAME_BYTES, bytesSent: this.#sent * FRAME_BYTES };
    const packetsLost = Math.round(this.#sound.dropped / FRAME_BYTES);
    const packets = { packetsReceived: this.#received, packetsSent: this.#sent, packetsLost };
    const rtt = Math.round(this.#signalling.rtt);
    this.#call.emit("sample", {
      ...bytes,
      ...packets,
      packetsLostFraction: 0,
      audioInputLevel: Math.round(this.#sound.input * 32767),
      audioOutputLevel: Math.round(this.#sound.output * 32767),
      codecName: "PCMU",
      jitter,
      mos: mos(rtt, jitter),
      rtt,
      timestamp: Date.now(),
      totals: { ...bytes, ...packets, packetsLostFraction: 0 },
    });
    this.#judge();
  }

  /** A microphone that gives nothing, and a line that brings nothing. */
  #judge() {
    const last = this.#last;
    const constant = this.#sound.input === last.level && !this.#sound.muted;
    last.constant = constant ? last.constant + 1 : 0;
    last.silent = this.#received === last.received ? last.silent + 1 : 0;
    last.level = this.#sound.input;
    last.received = this.#received;
    this.#warn("constant-audio-input-level", last.constant >= CONSTANT_SAMPLES);
    this.#warn("low-bytes-received", last.silent >= SILENT_SAMPLES);
  }

  #warn(name, bad) {
    if (bad === this.#warned.has(name)) return;
    if (bad) {
      this.#warned.add(name);
      this.#call.emit("warning", name, { name });
    } else {
      this.#warned.delete(name);
      this.#call.emit("warning-cleared", name);
    }
  }
}
