// A call that rings makes itself known: by sound on the chosen device, in the title, by the browser.

import { one } from "../dom.js";
import { gettext } from "../i18n.js";
import { play } from "../phone-devices.js";
import { KINDS } from "./desk-words.js";

const FLASH_MS = 1_000;

export class Alert {
  constructor(sounds) {
    this.sound = `${sounds}phone-incoming.wav`;
    this.title = document.title;
    this.offer = null;
  }

  /** What rings now, or null; `silent` where a telephone of their own rings. */
  draw(offer, call, silent) {
    if (offer?.offer === this.offer?.offer) return;
    this.stop();
    this.offer = offer;
    if (!offer) return;
    const words = `${KINDS[offer.kind] ?? KINDS.queue}: ${call?.caller ?? gettext("unknown caller")}`;
    this.flash(words);
    if (!silent) this.ring(offer);
    if (document.visibilityState === "hidden") this.notify(words);
  }

  async ring(offer) {
    const audio = await play(this.sound, "ring", { loop: true }).catch(() => null); // silent until one has clicked
    if (this.offer === offer) this.audio = audio;
    else audio?.pause();
  }

  flash(words) {
    document.title = words;
    this.timer = setInterval(() => {
      document.title = document.title === words ? this.title : words;
    }, FLASH_MS);
  }

  notify(words) {
    if (window.Notification?.permission !== "granted") return;
    try {
      this.notice = new Notification(words, { tag: "desk-call", body: gettext("Press to go to the desk."), requireInteraction: true });
      this.notice.onclick = () => window.focus();
    } catch {
      // some browsers only notify from a service worker; sound and title remain
    }
  }

  stop() {
    clearInterval(this.timer);
    document.title = this.title;
    this.audio?.pause();
    this.notice?.close();
    this.audio = this.notice = null;
  }
}

/** The button that asks once whether calls may be shown while the page is hidden. */
export function offerNotifications() {
  const button = one("[data-notify]");
  const show = () => {
    button.hidden = window.Notification?.permission !== "default";
  };
  button.addEventListener("click", () => Notification.requestPermission().then(show));
  show();
}
