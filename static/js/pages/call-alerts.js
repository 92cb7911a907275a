// The alerts of this call: what was found, where, and who has seen to it. New ones are told to screen readers.

import { Announcer } from "../announcer.js";
import { duration, timeOfDay } from "../clock.js";
import { mark, one, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";
import { alertKey } from "./call-words.js";
import { showBusy } from "./pieces.js";

export class Alerts {
  constructor(state, id, acts, goTo) {
    this.state = state;
    this.id = id;
    this.acts = acts;
    this.goTo = goTo;
    this.list = one("[data-alerts]");
    this.acknowledging = new Set();
    this.items = new Map(); // alert → its element
    this.known = null; // alerts that this page has shown
    this.voices = { critical: new Announcer(one("[data-say-critical]")), warning: new Announcer(one("[data-say-warning]")) };
  }

  draw() {
    const alerts = this.state.allAlerts(this.id);
    const open = alerts.filter((alert) => !alert.acknowledged_at).length;
    one("[data-no-alerts]").hidden = alerts.length > 0;
    text(one("[data-alert-count]"), open ? ngettext("%(n)s open", "%(n)s open", open) : "");
    this.place(alerts);
    this.callOut(alerts);
  }

  /** In their order; those that stay keep the focus. */
  place(alerts) {
    for (const [key, item] of this.items) {
      if (alerts.some((alert) => alert.alert === key)) continue;
      item.remove();
      this.items.delete(key);
    }
    alerts.forEach((alert, n) => {
      const item = this.items.get(alert.alert) ?? this.add(alert);
      this.show(item, alert);
      if (this.list.children[n] !== item) this.list.insertBefore(item, this.list.children[n] ?? null);
    });
  }

  add(alert) {
    const item = one("#alert").content.cloneNode(true).firstElementChild;
    one("[data-acknowledge]", item).addEventListener("click", () => this.acknowledge(alert.alert));
    one("[data-go]", item).addEventListener("click", () => this.goTo(alertKey(alert)));
    text(one("[data-of]", item), ` ${alert.name}`);
    this.items.set(alert.alert, item);
    return item;
  }

  show(item, alert) {
    const critical = alert.severity === "critical";
    const { acknowledged_at: at, acknowledged_by: by } = alert;
    mark(item, "tone", at ? "" : critical ? "bad" : "warn");
    text(one("[data-severity]", item), critical ? gettext("Critical") : gettext("Warning"));
    text(one("[data-name]", item), alert.name);
    text(one("[data-quote]", item), alert.quote);
    const go = one("[data-go]", item);
    go.disabled = alert.at_ms === null;
    text(go, alert.at_ms === null ? timeOfDay(alert.raised_at) : duration(alert.at_ms));
    const button = one("[data-acknowledge]", item);
    button.hidden = Boolean(at);
    button.disabled = this.state.cut;
    showBusy(button, this.acknowledging.has(alert.alert));
    text(one("[data-seen]", item), at ? gettext("Acknowledged by %(by)s at %(time)s", { by: by || gettext("somebody"), time: timeOfDay(at) }) : "");
  }

  async acknowledge(alert) {
    if (this.acknowledging.has(alert)) return;
    this.acknowledging.add(alert);
    this.draw();
    await this.acts.do("alert.acknowledge", { alert });
    this.acknowledging.delete(alert);
    this.draw();
  }

  /** Tell what is new since the page was opened: warnings politely, critical ones at once, each at most once in 5 s. */
  callOut(alerts) {
    const fresh = alerts.filter((alert) => this.known && !this.known.has(alert.alert) && !alert.acknowledged_at);
    this.known = new Set(alerts.map((alert) => alert.alert));
    for (const alert of fresh.reverse()) (this.voices[alert.severity] ?? this.voices.warning).say(inWords(alert));
  }
}

const inWords = ({ name, quote }) => (quote ? gettext("Alert: %(name)s. %(quote)s", { name, quote }) : gettext("Alert: %(name)s", { name }));
