// How the page makes itself heard when something needs somebody: spoken, in the title, in its icon, by a sound.

import { gettext } from "../i18n.js";
import { icon, keep, kept, make, one, text } from "../dom.js";

/** The number of open alerts in the title and in the page's icon. */
export class Count {
  constructor() {
    this.title = document.title;
    this.link = one("link[rel=icon]");
    this.icon = this.link?.href;
    this.shown = 0;
  }

  show(count, critical) {
    const wanted = `${count}/${critical}`;
    if (wanted === this.shown) return;
    this.shown = wanted;
    document.title = count ? `(${count}) ${this.title}` : this.title;
    if (this.link) this.link.href = count ? drawn(count, critical) : this.icon;
    if (this.link) this.link.type = count ? "image/png" : "image/svg+xml";
  }
}

function drawn(count, critical) {
  const canvas = make("canvas");
  [canvas.width, canvas.height] = [64, 64];
  const pen = canvas.getContext("2d");
  pen.fillStyle = critical ? "#b3261e" : "#8a5a00";
  pen.beginPath();
  pen.roundRect(0, 0, 64, 64, critical ? 14 : 32);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = "bold 44px sans-serif";
  [pen.textAlign, pen.textBaseline] = ["center", "middle"];
  pen.fillText(count > 9 ? "9+" : String(count), 32, 35);
  return canvas.toDataURL();
}

/** A short sound for a new alert; off until somebody switches it on, kept for each user of this browser. */
export class Sound {
  constructor(button, user) {
    this.button = button;
    this.name = `alert-sound-${user ?? ""}`;
    this.on = kept(this.name) === "on";
    this.context = null;
    button.addEventListener("click", () => this.toggle());
    if (this.on) for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => this.wake(), { once: true });
    this.show();
  }

  toggle() {
    this.on = !this.on;
    keep(this.name, this.on ? "on" : "off");
    this.show();
    if (this.on) this.play("warning"); // so that one knows what to listen for
  }

  show() {
    this.button.setAttribute("aria-pressed", String(this.on));
    const word = this.on ? gettext("Sound on") : gettext("Sound off");
    text(one("[data-word]", this.button), word);
    icon(one("svg", this.button), this.on ? "bell" : "bell-off");
    this.button.title = word;
  }

  /** Browsers let a page sound only after a click or a key. */
  wake() {
    this.context ??= new AudioContext();
    if (this.context.state === "suspended") this.context.resume();
    return this.context;
  }

  play(severity) {
    if (!this.on) return;
    const context = this.wake();
    const tones = severity === "critical" ? [880, 660, 880] : [660];
    tones.forEach((hertz, n) => tone(context, hertz, context.currentTime + n * 0.18));
  }
}

function tone(context, hertz, at) {
  const source = context.createOscillator();
  const volume = context.createGain();
  source.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.2, at + 0.01);
  volume.gain.linearRampToValueAtTime(0, at + 0.15);
  source.connect(volume).connect(context.destination);
  source.start(at);
  source.stop(at + 0.16);
}
