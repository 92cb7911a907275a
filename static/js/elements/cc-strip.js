// <cc-strip>: the last 60 seconds of levels, the caller above the middle and the other side below. Decorative.

const SECONDS = 60;
const PER_SECOND = 10;
const FLOOR = -60;

class Strip extends HTMLElement {
  #canvas = document.createElement("canvas");
  #pen = this.#canvas.getContext("2d");
  #past = []; // [inbound, outbound, gap]
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
    this.#past.push([inbound, outbound]);
    if (this.#past.length > SECONDS * PER_SECOND) this.#past.shift();
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
    const { width, height } = this.#canvas;
    if (!width || !this.#colours) return;
    const pen = this.#pen;
    const [middle, step] = [height / 2, width / (SECONDS * PER_SECOND)];
    const start = SECONDS * PER_SECOND - this.#past.length;
    pen.clearRect(0, 0, width, height);
    pen.fillStyle = this.#colours[2];
    pen.fillRect(0, middle - 0.5, width, 1);
    for (const track of [0, 1]) {
      pen.fillStyle = this.#colours[track];
      this.#past.forEach((levels, n) => {
        const length = ((Math.max(FLOOR, levels[track] ?? FLOOR) - FLOOR) / -FLOOR) * (middle - 3);
        pen.fillRect((start + n) * step, track ? middle + 1 : middle - 1 - length, Math.max(1, step), length);
      });
    }
  }
}

customElements.define("cc-strip", Strip);
