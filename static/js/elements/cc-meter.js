// <cc-meter>: two bars, the caller above and the other side below, from -60 to 0 dBFS. Decorative; the words
// beside it say who speaks. Bars rise at once and fall slowly; all meters share one animation frame.

const FLOOR = -60;
const FALL_PER_MS = 0.06; // dB
const still = matchMedia("(prefers-reduced-motion: reduce)");
const meters = new Set();
let frame = null;

class Meter extends HTMLElement {
  #canvas = document.createElement("canvas");
  #pen = this.#canvas.getContext("2d");
  #wanted = [FLOOR, FLOOR];
  #shown = [FLOOR, FLOOR];
  #size = [0, 0];
  #drawn = "";
  #colours = null;

  connectedCallback() {
    this.setAttribute("aria-hidden", "true");
    if (!this.#canvas.isConnected) this.append(this.#canvas);
    meters.add(this);
    sizes.observe(this);
  }

  disconnectedCallback() {
    meters.delete(this);
    sizes.unobserve(this);
  }

  /** {inbound, outbound} in dBFS; null falls to the floor. */
  set levels({ inbound, outbound }) {
    this.dataset.inbound = inbound ?? "";
    this.dataset.outbound = outbound ?? "";
    this.#wanted = [inbound ?? FLOOR, outbound ?? FLOOR].map((value) => Math.max(FLOOR, Math.min(0, value)));
    run();
  }

  resized(width, height) {
    const scale = Math.min(2, devicePixelRatio || 1);
    this.#size = [Math.round(width * scale), Math.round(height * scale)];
    [this.#canvas.width, this.#canvas.height] = this.#size;
    this.repaint();
  }

  /** Colours or size changed. */
  repaint() {
    const style = getComputedStyle(this);
    this.#colours = ["--caller", "--agent", "--track"].map((name) => style.getPropertyValue(name));
    this.#drawn = "";
    run();
  }

  /** Move towards the wanted levels; whether there is more to move. */
  step(ms) {
    const fall = still.matches ? Infinity : ms * FALL_PER_MS;
    this.#shown = this.#shown.map((value, n) => Math.max(this.#wanted[n], value - fall));
    this.#draw();
    return this.#shown.some((value, n) => value !== this.#wanted[n]);
  }

  #draw() {
    const [width, height] = this.#size;
    if (!width || !this.#colours) return;
    const lengths = this.#shown.map((value) => Math.round(((value - FLOOR) / -FLOOR) * width));
    if (lengths.join() === this.#drawn) return;
    this.#drawn = lengths.join();
    const pen = this.#pen;
    const gap = Math.max(2, Math.round(height * 0.14));
    const bar = Math.round((height - gap) / 2);
    pen.clearRect(0, 0, width, height);
    lengths.forEach((length, n) => {
      const top = n * (bar + gap);
      pen.fillStyle = this.#colours[2];
      rounded(pen, 0, top, width, bar);
      pen.fillStyle = this.#colours[n];
      if (length > 1) rounded(pen, 0, top, length, bar);
    });
  }
}

function rounded(pen, x, y, width, height) {
  pen.beginPath();
  pen.roundRect(x, y, width, height, Math.min(height, width) / 2);
  pen.fill();
}

const sizes = new ResizeObserver((entries) => {
  for (const entry of entries) entry.target.resized(entry.contentRect.width, entry.contentRect.height);
});

function repaintAll() {
  requestAnimationFrame(() => meters.forEach((meter) => meter.repaint()));
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaintAll);
new MutationObserver(repaintAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });

let before = 0;

function run() {
  if (frame === null) {
    before = performance.now();
    frame = requestAnimationFrame(step);
  }
}

function step(at) {
  const ms = Math.max(0, at - before);
  before = at;
  let more = false;
  for (const meter of meters) more = meter.step(ms) || more;
  frame = more ? requestAnimationFrame(step) : null;
}

customElements.define("cc-meter", Meter);
