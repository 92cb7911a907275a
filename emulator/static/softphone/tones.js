// The sounds of a telephone itself: ringing, keys, the end of a call. Made by oscillators, or the application's own.

const KEYS = ["123", "456", "789", "*0#"];
const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477];
const LOUD = 0.08;
const KEY_S = 0.16;
// Hertz, and for how long on and off, in seconds; over and over where it says so.
const MADE = {
  incoming: { hertz: [440, 480], on: 1.2, off: 1.8, again: true },
  outgoing: { hertz: [480], on: 0.15, off: 0.1, again: false },
  disconnect: { hertz: [425], on: 0.2, off: 0.1, again: false },
};

/** The name of a key's sound, as Twilio's SDK names it. */
export const keySound = (key) => `dtmf${{ "*": "s", "#": "h" }[key] ?? key}`;

function recipe(name) {
  if (MADE[name]) return MADE[name];
  const key = { s: "*", h: "#" }[name.at(-1)] ?? name.at(-1);
  const row = KEYS.findIndex((keys) => keys.includes(key));
  return { hertz: [ROWS[row], COLUMNS[KEYS[row].indexOf(key)]], on: KEY_S, off: 0, again: false };
}

export const SOUNDS = [...Object.keys(MADE), ..."0123456789*#"].map((one) => (one in MADE ? one : keySound(one)));

/** One sound; `context()` gives the AudioContext that it plays in, `url` is the application's own recording. */
export class Tone {
  #name;
  #context;
  #url;
  #recording = null;
  #playing = null;
  #timer = null;
  #turn = 0;

  constructor(name, context, url = null) {
    this.#name = name;
    this.#context = context;
    this.#url = url;
  }

  /** Start it; a page without a user gesture plays nothing yet, which is no error. */
  async play() {
    this.stop();
    const context = this.#context();
    const turn = this.#turn;
    const recording = this.#url ? await this.#load(context) : null;
    if (turn !== this.#turn) return;
    if (recording) this.#start(context, recording);
    else this.#repeat(context);
  }

  stop() {
    this.#turn += 1;
    clearInterval(this.#timer);
    this.#timer = null;
    this.#playing?.forEach((source) => source.stop());
    this.#playing = null;
  }

  #repeat(context) {
    const { hertz, on, off, again } = recipe(this.#name);
    const once = () => this.#oscillate(context, hertz, on);
    once();
    if (again) this.#timer = setInterval(once, (on + off) * 1000);
  }

  #oscillate(context, hertz, seconds) {
    const gain = new GainNode(context, { gain: LOUD });
    gain.connect(context.destination);
    this.#playing = hertz.map((frequency) => {
      const source = new OscillatorNode(context, { frequency });
      source.connect(gain);
      source.start();
      source.stop(context.currentTime + seconds);
      return source;
    });
  }

  #start(context, buffer) {
    const source = new AudioBufferSourceNode(context, { buffer, loop: this.#name === "incoming" });
    source.connect(context.destination);
    source.start();
    this.#playing = [source];
  }

  async #load(context) {
    try {
      this.#recording ??= await context.decodeAudioData(await (await fetch(this.#url)).arrayBuffer());
      return this.#recording;
    } catch (error) {
      console.warn(`[softphone] ${this.#name}: ${this.#url} cannot be played, a tone is`, error);
      return null;
    }
  }
}
