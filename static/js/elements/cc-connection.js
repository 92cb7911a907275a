// <cc-connection>: the state of the line in the top bar (role=status), and the banner below it when it is in trouble.

import { timeOfDay } from "../clock.js";
import { mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
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
    return state === "stale" ? gettext("Stale, %(n)s s old", { n: age }) : CONNECTION[state];
  }

  showBanner() {
    const { socket, banner } = this;
    const words = socket.troubled ? this.sentence() : "";
    banner.hidden = !words;
    text(one("[data-banner-text]", banner), words);
    mark(banner, "kind", socket.final ? "bad" : "warn");
    one("[data-banner-retry]", banner).hidden = !["reconnecting", "restarting", "slow", "connecting"].includes(socket.state);
    const login = one("[data-banner-login]", banner);
    login.hidden = socket.state !== "signed-out";
    if (!login.hidden) login.href = this.back(login);
  }

  /** Signing in leads back to this page as it is now: scripts keep filters in its address. */
  back(login) {
    const address = new URL(login.href);
    address.searchParams.set("next", location.pathname + location.search + location.hash);
    return address.pathname + address.search;
  }

  sentence() {
    const { socket } = this;
    const age = Math.floor((Date.now() - socket.heardAt) / 1000);
    const wait = socket.retryAt ? Math.max(0, Math.ceil((socket.retryAt - Date.now()) / 1000)) : 0;
    const next = wait > 0 ? gettext("trying again in %(n)s s.", { n: wait }) : gettext("trying now.");
    switch (socket.state) {
      case "connecting":
        return gettext("There is no connection yet; %(next)s", { next });
      case "reconnecting":
        return gettext("Connection lost at %(time)s. Showing the last known state; %(next)s", { time: timeOfDay(socket.lostAt), next });
      case "restarting":
        return gettext("The server is restarting. Showing the last known state; %(next)s", { next });
      case "slow":
        return gettext("Your line is slow: the page could not keep up. Showing the last known state; %(next)s", { next });
      case "stale":
        return gettext("Nothing has arrived for %(n)s s. Showing the last known state.", { n: age });
      case "signed-out":
        return gettext("You were signed out. What you see is the last known state.");
      case "no-access":
        return socket.noAccess;
      case "gone":
        return gettext("This call is no longer there.");
      case "outdated":
        return gettext("The server no longer understands this page. Reload it.");
      default:
        return "";
    }
  }
}

customElements.define("cc-connection", Connection);
