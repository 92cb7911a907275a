// <cc-connection>: the state of the line in the top bar (role=status), and the banner below it when it is in trouble.

import { timeOfDay } from "../clock.js";
import { mark, one, text } from "../dom.js";
import { CONNECTION } from "../words.js";

class Connection extends HTMLElement {
  /** Follow a LiveSocket. */
  follow(socket) {
    this.socket = socket;
    this.banner = one("[data-banner]");
    one("[data-banner-retry]", this.banner).addEventListener("click", () => socket.retry());
    socket.addEventListener("state", () => this.show());
    socket.addEventListener("look", () => this.show());
    this.show();
  }

  show() {
    const { socket } = this;
    const quiet = socket.state === "reconnecting" && !socket.troubled;
    mark(this, "state", socket.state);
    if (!quiet) text(one("[data-word]", this), this.word());
    document.body.classList.toggle("is-stale", socket.state === "stale" || (socket.troubled && socket.state !== "connecting"));
    this.showBanner();
  }

  word() {
    const { state, heardAt } = this.socket;
    const age = Math.floor((Date.now() - heardAt) / 1000);
    return state === "stale" ? `${CONNECTION.stale}, ${age} s old` : CONNECTION[state];
  }

  showBanner() {
    const { socket, banner } = this;
    const words = socket.troubled ? this.sentence() : "";
    banner.hidden = !words;
    text(one("[data-banner-text]", banner), words);
    mark(banner, "kind", ["signed-out", "no-access", "gone", "outdated"].includes(socket.state) ? "bad" : "warn");
    one("[data-banner-retry]", banner).hidden = !["reconnecting", "restarting", "connecting"].includes(socket.state);
    one("[data-banner-login]", banner).hidden = socket.state !== "signed-out";
  }

  sentence() {
    const { socket } = this;
    const age = Math.floor((Date.now() - socket.heardAt) / 1000);
    const wait = socket.retryAt ? Math.max(0, Math.ceil((socket.retryAt - Date.now()) / 1000)) : 0;
    const next = wait > 0 ? `trying again in ${wait} s.` : "trying now.";
    switch (socket.state) {
      case "connecting":
        return `There is no connection yet; ${next}`;
      case "reconnecting":
        return `Connection lost at ${timeOfDay(socket.lostAt)}. Showing the last known state; ${next}`;
      case "restarting":
        return `The server is restarting. Showing the last known state; ${next}`;
      case "stale":
        return `Nothing has arrived for ${age} s. Showing the last known state.`;
      case "signed-out":
        return "You were signed out. What you see is the last known state.";
      case "no-access":
        return "Your account may no longer watch live calls. Ask an administrator for the role Supervisor.";
      case "gone":
        return "This call is no longer there.";
      case "outdated":
        return "The server no longer understands this page. Reload it.";
      default:
        return "";
    }
  }
}

customElements.define("cc-connection", Connection);
