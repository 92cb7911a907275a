// <cc-strip>: the last 60 seconds of levels, the caller above the middle and the other side below. Decorative.
// It goes by time: seconds without a level stay empty and move on like the others.

const SPAN_MS = 60_000;
const TICK_MS = 100;
const FLOOR = -60;

class Strip extends HTMLElement {
  #canvas = document.createElement("canvas");
  #pen = this.#canvas.getContext("2d");
  #past = []; // {at, inbound, outbound}
  #colours = null;
  #observer = new ResizeObserver(() => this.#resized());
  #theme = new MutationObserver(() => requestAnimationFrame(() => this.#resized()));
  #dark = matchMedia("(prefers-color-scheme: dark)");

  connectedCallback() {
    this.setAttribute("aria-hidden", "true");
    this.append(this.#canvas);
    this.#observer.observe(this);
    this.#theme.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    this.#dark.addEventListener("change", () => requestAnimationFrame(() => this.#resized()));
  }

  /** One tick: {inbound, outbound} in dBFS, null where nothing came. */
  push({ inbound, outbound }) {
    this.#past.push({ at: performance.now(), inbound, outbound });
    this.#draw();
  }

  /** Move on, also where nothing comes. */
  second() {
    this.#draw();
  }

  #resized() {
    const scale = Math.min(2, devicePixelRatio || 1);
    this.#canvas.width = Math.round(this.clientWidth * scale);
    this.#canvas.height = Math.round(this.clientHeight * scale);
    const style = getComputedStyle(this);
    this.#colours = ["--caller", "--agent", "--track"].map((name) => style.getPropertyValue(name));
    this.#draw();
  }

  #draw() {
    const now = performance.now();
    while (this.#past.length && now - this.#past[0].at > SPAN_MS) this.#past.shift();
    const { width, height } = this.#canvas;
    if (!width || !this.#colours) return;
    const pen = this.#pen;
    const [middle, step] = [height / 2, (width * TICK_MS) / SPAN_MS];
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.#colours[2];
    pen.fillRect(0, middle - 0.5, width, 1);
    ["inbound", "outbound"].forEach((track, below) => {
      pen.fillStyle = this.#colours[below];
      for (const levels of this.#past) {
        const length = ((Math.min(0, Math.max(FLOOR, levels[track] ?? FLOOR)) - FLOOR) / -FLOOR) * (middle - 3);
        const left = width - ((now - levels.at) / SPAN_MS) * width - step;
        pen.fillRect(left, below ? middle + 1 : middle - 1 - length, Math.max(1, step), length);
      }
    });
  }
}

customElements.define("cc-strip", Strip);
