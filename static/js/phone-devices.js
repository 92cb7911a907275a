// Microphones and speakers: which there are, which were chosen, and what of them can be heard.

import { keep, kept } from "./dom.js";
import { gettext } from "./i18n.js";

const FLOOR_DB = -60;
export const HEARD_DB = -40;

/** The id chosen for "input", "speaker" or "ring"; "" is the system's choice. */
export const chosen = (use) => kept(`desk-${use}`) ?? "";
export const choose = (use, id) => keep(`desk-${use}`, id);

/** {inputs, outputs}: [{id, label}]; labels are there once the microphone was allowed. */
export async function devices() {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const of = (kind, word) =>
    all
      .filter((one) => one.kind === kind && !["default", "communications", ""].includes(one.deviceId))
      .map((one, n) => ({ id: one.deviceId, label: one.label || `${word} ${n + 1}` }));
  return { inputs: of("audioinput", gettext("Microphone")), outputs: of("audiooutput", gettext("Speaker")) };
}

/** granted, denied or prompt; "missing" where a page may have no microphone at all. */
export async function permission(changed = () => {}) {
  if (!navigator.mediaDevices?.getUserMedia) return "missing";
  try {
    const status = await navigator.permissions.query({ name: "microphone" });
    status.onchange = () => changed(status.state);
    return status.state;
  } catch {
    return "prompt"; // a browser that does not tell
  }
}

/** The level of a microphone, 20 times a second. Rejects as getUserMedia does. */
export class Meter {
  /** `heard(db)` is called with the level, −60 dBFS to 0. */
  static async open(id, heard) {
    const audio = id ? { deviceId: { ideal: id } } : true;
    const stream = await navigator.mediaDevices.getUserMedia({ audio });
    return new Meter(stream, heard);
  }

  constructor(stream, heard) {
    this.stream = stream;
    this.context = new AudioContext();
    this.context.resume().catch(() => {});
    const analyser = new AnalyserNode(this.context, { fftSize: 1024 });
    this.context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, value) => sum + value * value, 0) / samples.length;
      heard(power ? Math.max(FLOOR_DB, 10 * Math.log10(power)) : FLOOR_DB);
    }, 50);
  }

  close() {
    clearInterval(this.timer);
    for (const track of this.stream.getTracks()) track.stop();
    this.context.close().catch(() => {});
  }
}

/** A sound of ours on the device of that use; resolves to the element, rejects where the browser is silent. */
export async function play(address, use, { loop = false } = {}) {
  const audio = new Audio(address);
  audio.loop = loop;
  const id = chosen(use);
  if (id && audio.setSinkId) await audio.setSinkId(id).catch(() => {});
  await audio.play();
  return audio;
}

/** Whether UDP gets out of this network, which voices need: "yes", "no" or "unknown". It takes 4 s at most. */
export function udp() {
  return new Promise((resolve) => {
    if (!window.RTCPeerConnection) {
      resolve("unknown");
      return;
    }
    const line = new RTCPeerConnection({ iceServers: [{ urls: "stun:global.stun.twilio.com:3478" }] });
    const end = (answer) => {
      clearTimeout(timer);
      line.close();
      resolve(answer);
    };
    const timer = setTimeout(() => end("no"), 4_000);
    line.onicecandidate = ({ candidate }) => {
      if (candidate?.type === "srflx") end("yes");
      else if (!candidate) end("no");
    };
    line.createDataChannel("try");
    line.createOffer().then((offer) => line.setLocalDescription(offer)).catch(() => end("unknown"));
  });
}
