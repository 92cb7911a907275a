// The softphone's ear and mouth, in the audio thread: G.711 mu-law at 8 kHz to and from the browser's own rate.

const RATE = 8000;
const FRAME = 160;
const BIAS = 132;
const CLIP = 32635;
// Samples that wait to be played: how many before it begins, and beyond how many delay is thrown away.
const TARGET = 480;
const DEEPEST = 2400;
const CAPACITY = 8192;
// How much faster or slower it may play to come back to its target.
const BEND = 0.03;
const REPORT_EVERY = 8;

/** The exponent of each biased sample's upper byte. */
const SEGMENT = Uint8Array.from({ length: 256 }, (_, upper) => Math.max(0, Math.floor(Math.log2(Math.max(1, upper)))));

function encode(value) {
  let sample = Math.round(Math.max(-1, Math.min(1, value)) * 32767);
  const sign = sample < 0 ? 0x80 : 0;
  sample = Math.min(Math.abs(sample), CLIP) + BIAS;
  const exponent = SEGMENT[sample >> 7];
  const mantissa = (sample >> (exponent + 3)) & 0x0f;
  return ~(sign | (exponent << 4) | mantissa) & 0xff;
}

/** The value of each mu-law byte, -1 to 1. */
const VALUES = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const size = ((((code & 0x0f) << 3) + BIAS) << ((code >> 4) & 7)) - BIAS;
  return (code & 0x80 ? -size : size) / 32768;
});

class Microphone extends AudioWorkletProcessor {
  #step = sampleRate / RATE;
  #at = 0;
  #last = 0;
  #frame = new Uint8Array(FRAME);
  #filled = 0;
  #power = 0;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = () => { this.#open = false; };
  }

  /** Take 128 samples, or silence where no microphone is connected, and send what became a frame. */
  process([input], [output]) {
    const samples = input[0];
    const length = samples?.length ?? output[0]?.length ?? 128;
    // `at` is where the next 8 kHz sample lies, -1 being the last sample of the block before.
    for (; this.#at < length - 1; this.#at += this.#step) {
      const whole = Math.floor(this.#at);
      const before = whole < 0 ? this.#last : samples?.[whole] ?? 0;
      const after = samples?.[whole + 1] ?? 0;
      this.#take(before + (after - before) * (this.#at - whole));
    }
    this.#at -= length;
    this.#last = samples?.[length - 1] ?? 0;
    return this.#open;
  }

  #take(value) {
    this.#frame[this.#filled] = encode(value);
    this.#power += value * value;
    this.#filled += 1;
    if (this.#filled < FRAME) return;
    const frame = this.#frame;
    this.port.postMessage({ frame, level: Math.sqrt(this.#power / FRAME) }, [frame.buffer]);
    this.#frame = new Uint8Array(FRAME);
    this.#filled = 0;
    this.#power = 0;
  }
}

class Speaker extends AudioWorkletProcessor {
  #ring = new Float32Array(CAPACITY);
  #written = 0;
  #read = 0;
  #filling = true;
  #power = 0;
  #counted = 0;
  #blocks = 0;
  #dropped = 0;
  #starved = 0;
  #open = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === null) this.#open = false;
      else this.#push(data);
    };
  }

  #push(frame) {
    for (const byte of frame) {
      this.#ring[this.#written % CAPACITY] = VALUES[byte];
      this.#written += 1;
    }
    const depth = this.#written - this.#read;
    if (depth > DEEPEST) {
      this.#dropped += depth - TARGET;
      this.#read = this.#written - TARGET;
    }
  }

  process(_, [output]) {
    const samples = output[0];
    const depth = this.#written - this.#read;
    if (this.#filling && depth >= TARGET) this.#filling = false;
    if (!this.#filling) this.#play(samples, depth);
    for (const copy of output.slice(1)) copy.set(samples);
    this.#report(samples);
    return this.#open;
  }

  #play(samples, depth) {
    const bend = depth > TARGET * 1.6 ? BEND : depth < TARGET * 0.4 ? -BEND : 0;
    const step = (RATE / sampleRate) * (1 + bend);
    for (let number = 0; number < samples.length; number += 1) {
      const whole = Math.floor(this.#read);
      if (whole + 1 >= this.#written) {
        this.#filling = true;
        this.#starved += 1;
        return;
      }
      const before = this.#ring[whole % CAPACITY];
      samples[number] = before + (this.#ring[(whole + 1) % CAPACITY] - before) * (this.#read - whole);
      this.#read += step;
    }
  }

  /** Tell the page how loud it is and how much waits, some 50 times a second. */
  #report(samples) {
    for (const value of samples) this.#power += value * value;
    this.#counted += samples.length;
    this.#blocks += 1;
    if (this.#blocks < REPORT_EVERY) return;
    this.port.postMessage({
      level: Math.sqrt(this.#power / this.#counted),
      waiting: Math.round(((this.#written - this.#read) / RATE) * 1000),
      dropped: this.#dropped,
      starved: this.#starved,
    });
    this.#power = 0;
    this.#counted = 0;
    this.#blocks = 0;
  }
}

registerProcessor("softphone-microphone", Microphone);
registerProcessor("softphone-speaker", Speaker);
