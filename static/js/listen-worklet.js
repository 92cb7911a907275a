// The sound of a call in the audio thread: both tracks of mu-law at 8 kHz become stereo at the browser's own rate.
//
// One place in time is played on both tracks, so that the speakers stay together; what is missing is silence of
// its length. In come the binary messages of the socket as they are, {reset}, {gains: [caller, agent]} and null
// (the end); out goes a report four times a second.

const RATE = 8000;
const HEAD = 12;
const FRAME = 160;
const BIAS = 132;
// Samples that wait to be played: how many before it begins, and beyond how many delay is left out.
const TARGET = 480;
const DEEPEST = 2400;
const CAPACITY = 16384;
// How much faster or slower it may play to come back to its target.
const BEND = 0.03;
const ACTIVE_S = 0.2; // a track without a frame for so long holds nobody up
const REPORT_S = 0.25;
const RAMP = 1 / 256; // a beginning is faded in over so many samples: a jump in the sound would click
const GLIDE = 0.005;

/** The value of each mu-law byte, -1 to 1. */
const VALUES = Float32Array.from({ length: 256 }, (_, byte) => {
  const code = ~byte & 0xff;
  const size = ((((code & 0x0f) << 3) + BIAS) << ((code >> 4) & 7)) - BIAS;
  return (code & 0x80 ? -size : size) / 32768;
});

/** One speaker: samples by their place on the line of time, as far back as the ring is long. */
class Track {
  ring = new Float32Array(CAPACITY);
  end = 0; // behind the last sample there is
  heardAt = -Infinity; // when the last frame came, in the context's time
  gain = 1;
  wanted = 1;

  write(at, bytes) {
    if (at > this.end + CAPACITY) this.ring.fill(0);
    else for (let n = this.end; n < at; n += 1) this.ring[n % CAPACITY] = 0;
    for (let n = 0; n < bytes.length; n += 1) this.ring[(at + n) % CAPACITY] = VALUES[bytes[n]];
    this.end = Math.max(this.end, at + bytes.length);
  }

  sample(whole, part) {
    if (whole >= this.end) return 0;
    const before = this.ring[whole % CAPACITY];
    const after = whole + 1 < this.end ? this.ring[(whole + 1) % CAPACITY] : 0;
    return before + (after - before) * part;
  }
}

class Listener extends AudioWorkletProcessor {
  #tracks = [new Track(), new Track()];
  #zero = null; // the ms at which sample 0 lies
  #read = 0;
  #filling = true;
  #fade = 0;
  #underruns = 0;
  #skipped = 0;
  #late = 0;
  #open = true;
  #reportAt = 0;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data === null) this.#open = false;
      else if (data instanceof ArrayBuffer) this.#take(data);
      else if (data.gains) data.gains.forEach((gain, number) => { this.#tracks[number].wanted = gain; });
      else if (data.reset) this.#reset();
    };
  }

  #reset() {
    this.#tracks.forEach((track) => Object.assign(track, { end: 0, heardAt: -Infinity }));
    this.#zero = null;
    this.#read = 0;
    this.#refill();
  }

  #refill() {
    this.#filling = true;
    this.#fade = 0;
  }

  #take(buffer) {
    const view = new DataView(buffer);
    for (let at = 0; at + HEAD + FRAME <= buffer.byteLength; at += HEAD + FRAME) {
      const track = this.#tracks[view.getUint8(at + 1)];
      if (view.getUint8(at) === 1 && track) {
        this.#push(track, view.getFloat64(at + 4, true), new Uint8Array(buffer, at + HEAD, FRAME));
      }
    }
    this.#catchUp();
  }

  #push(track, ms, bytes) {
    this.#zero ??= ms;
    const at = Math.round(((ms - this.#zero) * RATE) / 1000);
    track.heardAt = currentTime;
    if (at + FRAME <= this.#read) {
      this.#late += FRAME;
      return;
    }
    // Nothing waits: the time in which nothing came has passed, so it is not played again as silence.
    if (at > this.#read && this.#read >= this.#last()) this.#read = at;
    track.write(Math.max(0, at), bytes);
  }

  #last() {
    return Math.max(...this.#tracks.map((track) => track.end));
  }

  /** What waits of the track that has the least, of those that still send. */
  #depth() {
    const active = this.#tracks.filter((track) => currentTime - track.heardAt < ACTIVE_S);
    const end = active.length ? Math.min(...active.map((track) => track.end)) : this.#last();
    return end - this.#read;
  }

  /** After a stall: what is too much to be made up for by playing faster is left out. */
  #catchUp() {
    const depth = this.#depth();
    if (depth <= DEEPEST) return;
    this.#skipped += depth - TARGET;
    this.#read += depth - TARGET;
    this.#fade = 0;
  }

  process(_, [output]) {
    const depth = this.#depth();
    if (this.#filling && depth >= TARGET) this.#filling = false;
    if (!this.#filling) this.#play(output, depth);
    if (currentTime >= this.#reportAt) this.#report(depth);
    return this.#open;
  }

  #play([left, right], depth) {
    const [caller, agent] = this.#tracks;
    const bend = depth > TARGET * 1.6 ? BEND : depth < TARGET * 0.4 ? -BEND : 0;
    const step = (RATE / sampleRate) * (1 + bend);
    const last = this.#last();
    for (let number = 0; number < left.length; number += 1) {
      const whole = Math.floor(this.#read);
      if (whole + 1 >= last) {
        this.#underruns += 1;
        this.#refill();
        return;
      }
      const part = this.#read - whole;
      this.#fade = Math.min(1, this.#fade + RAMP);
      caller.gain += (caller.wanted - caller.gain) * GLIDE;
      agent.gain += (agent.wanted - agent.gain) * GLIDE;
      left[number] = caller.sample(whole, part) * caller.gain * this.#fade;
      right[number] = agent.sample(whole, part) * agent.gain * this.#fade;
      this.#read += step;
    }
  }

  #report(depth) {
    this.#reportAt = currentTime + REPORT_S;
    const ms = (samples) => Math.round((samples * 1000) / RATE);
    this.port.postMessage({
      depth: ms(Math.max(0, depth)),
      playing: this.#zero === null || this.#filling ? null : this.#zero + (this.#read * 1000) / RATE,
      underruns: this.#underruns,
      skipped: ms(this.#skipped),
      late: ms(this.#late),
    });
  }
}

registerProcessor("call-listener", Listener);
