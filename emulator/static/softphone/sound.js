// A call's sound: the microphone's frames out, the other side's frames in, by an AudioWorklet each way.

import { WORKLET } from "./place.js";

const TELEPHONE_HERTZ = 3400;
const SLOPES = [0.54, 1.31];

/** One AudioContext for voice and keys, one for ringing: each has an output device of its own. */
const contexts = new Map();

export function contextFor(use) {
  if (!contexts.has(use)) {
    const context = new AudioContext({ latencyHint: "interactive" });
    contexts.set(use, context);
    for (const gesture of ["pointerdown", "keydown"]) document.addEventListener(gesture, () => wake(context));
  }
  return contexts.get(use);
}

/** Browsers let a page sound only after its user has touched it. */
function wake(context) {
  if (context.state === "suspended") context.resume().catch(() => {});
}

/** Let the sounds of this use come out of that device; "default" or "" is the system's choice. */
export async function routeTo(use, deviceId) {
  const context = contextFor(use);
  if (typeof context.setSinkId !== "function") return;
  await context.setSinkId(deviceId === "default" ? "" : deviceId);
}

let loading = null;

function worklet(context) {
  loading ??= context.audioWorklet.addModule(WORKLET).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** Two low-pass filters in a row keep what a telephone line keeps; the last of them is returned. */
function telephoneLine(context, source) {
  return SLOPES.reduce(
    (from, Q) => from.connect(new BiquadFilterNode(context, { type: "lowpass", frequency: TELEPHONE_HERTZ, Q })),
    source,
  );
}

/** Twilio's volume: 0 at -100 dB, 1 at -30 dB and louder. */
export const volume = (level) => Math.max(0, Math.min(1, (20 * Math.log10(Math.max(level, 1e-5)) + 100) / 70));

export class Sound {
  input = 0;
  output = 0;
  muted = false;
  waiting = 0;
  dropped = 0;
  starved = 0;
  #send;
  #context = null;
  #stream = null;
  #source = null;
  #microphone = null;
  #speaker = null;
  #remote = null;
  #closed = false;

  /** `send(frame)` gets 160 bytes of mu-law, 50 times a second. */
  constructor(send) {
    this.#send = send;
  }

  get localStream() {
    return this.#stream ?? undefined;
  }

  /** What the other side says, as a MediaStream. */
  get remoteStream() {
    return this.#remote?.stream;
  }

  /** Begin; the stream stays its owner's. */
  async open(stream) {
    const context = contextFor("voice");
    this.#context = context;
    this.#stream = stream;
    await Promise.all([worklet(context), awake(context)]);
    if (this.#closed) return;
    this.#openSpeaker(context);
    this.#openMicrophone(context);
    this.replace(stream);
  }

  /** Another microphone from now on. */
  replace(stream) {
    this.#source?.disconnect();
    this.#stream = stream;
    this.#source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    telephoneLine(this.#context, this.#source).connect(this.#microphone);
  }

  play(frame) {
    this.#speaker?.port.postMessage(frame, [frame.buffer]);
  }

  close() {
    this.#closed = true;
    this.#speaker?.port.postMessage(null);
    this.#microphone?.port.postMessage(null);
    for (const node of [this.#source, this.#microphone, this.#speaker]) node?.disconnect();
    this.#microphone = null;
    this.#speaker = null;
  }

  #openSpeaker(context) {
    const shape = { numberOfInputs: 0, outputChannelCount: [1] };
    this.#speaker = new AudioWorkletNode(context, "softphone-speaker", shape);
    this.#speaker.port.onmessage = ({ data }) => {
      this.output = data.level;
      Object.assign(this, { waiting: data.waiting, dropped: data.dropped, starved: data.starved });
    };
    this.#remote = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    const line = telephoneLine(context, this.#speaker);
    line.connect(context.destination);
    line.connect(this.#remote);
  }

  #openMicrophone(context) {
    const shape = { channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1] };
    this.#microphone = new AudioWorkletNode(context, "softphone-microphone", shape);
    this.#microphone.port.onmessage = ({ data }) => {
      this.input = this.muted ? 0 : data.level;
      this.#send(this.muted ? data.frame.fill(0xff) : data.frame);
    };
    // Its output is silence, connected only because what leads nowhere need not run.
    this.#microphone.connect(context.destination);
  }
}

/** A context that the browser keeps suspended must not hold the call up. */
function awake(context) {
  const later = new Promise((resolve) => { setTimeout(resolve, 300); });
  return context.state === "running" ? null : Promise.race([context.resume(), later]);
}
