// The alerts: what happened in which call, who took it; open before taken, critical first, newest first. Those of ended
// calls are folded away below. New ones wait while somebody is in the list.

import { Announcer } from "../announcer.js";
import * as clock from "../clock.js";
import { newId } from "../control.js";
import { mark, one, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";
import { showBadge } from "./pieces.js";
import { fromTemplate, isHeld, keep, whenLeft } from "./wall-list.js";
import { Count, Sound } from "./wall-signal.js";
import { firstName, SEVERITIES } from "./wall-words.js";

const SHOWN_MS = 10 * 60_000; // of those that were taken
const SPOKEN = new Set(["words", "help"]);
const OUTDATED = gettext("This page is out of date. Reload it and try again.");
const NO_LINE = gettext("There is no connection to the server. Nothing was done.");

/** What somebody said stands in quotation marks; a figure in words does not. */
const quoted = ({ kind, quote }) => (quote && SPOKEN.has(kind) ? `“${quote}”` : quote);
const rank = ({ acknowledged_at: taken, severity }) => (taken ? 2 : severity === "critical" ? 0 : 1);

export class Alerts {
  constructor(state, filter, { bare = false } = {}) {
    this.state = state;
    this.filter = filter;
    this.bare = bare;
    this.rail = one("[data-alerts-rail]");
    this.list = one("[data-alert-list]", this.rail);
    this.over = one("[data-alerts-over]", this.rail);
    this.overList = one("[data-alert-over-list]", this.over);
    this.more = one("[data-alerts-new]", this.rail);
    this.asked = new Map(); // alert → "" while it is being asked, or why it failed
    this.heard = new Set(state.alerts.keys());
    this.count = new Count();
    this.sound = new Sound(one("[data-alert-sound]", this.rail), state.me.user);
    this.voices = { critical: new Announcer(one("[data-say-critical]")), warning: new Announcer(one("[data-say-warning]")) };
    this.more.addEventListener("click", () => this.draw(true));
    whenLeft(this.rail, () => this.draw());
    this.look();
    this.draw(true);
  }

  /** Those that are shown, in their order. */
  shown() {
    const old = clock.now() - SHOWN_MS;
    return [...this.state.alerts.values()]
      .filter((alert) => this.filter.alert(alert) && !(alert.acknowledged_at && Date.parse(alert.raised_at) < old))
      .sort((a, b) => rank(a) - rank(b) || b.raised_at.localeCompare(a.raised_at) || b.alert - a.alert);
  }

  /** Whether nobody can be helped by it any more: its call has ended. */
  isOver(alert) {
    const call = this.state.places.get(alert.call);
    return call ? call.state === "ended" : Boolean(alert.ended);
  }

  /** Those that wait for somebody, in calls that go on. */
  open(shown) {
    return shown.filter((alert) => !alert.acknowledged_at && !this.isOver(alert));
  }

  /** At once, whether or not the page is painted: tell of new ones, count the open ones. */
  look() {
    const shown = this.shown();
    for (const alert of shown) if (!this.heard.has(alert.alert)) this.tell(alert);
    this.heard = new Set(this.state.alerts.keys());
    const open = this.open(shown);
    this.count.show(open.length, open.some((alert) => alert.severity === "critical"));
  }

  tell(alert) {
    if (alert.acknowledged_at) return;
    const { word } = SEVERITIES[alert.severity] ?? SEVERITIES.warning;
    const quote = this.bare ? "" : alert.quote;
    const voice = this.voices[alert.severity] ?? this.voices.warning;
    voice.say(gettext("%(severity)s: %(name)s, %(who)s. %(quote)s", { severity: word, name: alert.name, who: this.who(alert), quote }).trim());
    this.sound.play(alert.severity);
  }

  who(alert) {
    const call = this.state.places.get(alert.call) ?? alert;
    if (!call.caller) return gettext("Call %(call)s", { call: alert.call });
    return this.bare ? firstName(call.agent || call.caller) : call.caller;
  }

  /** What is new comes at the top, unless somebody is in the list: then it is counted. */
  draw(always = false) {
    const all = this.shown();
    const held = !always && this.isHeld();
    const now = held ? this.staying(this.list, all) : all.filter((alert) => !this.isOver(alert));
    const over = held ? this.staying(this.overList, all) : all.filter((alert) => this.isOver(alert));
    this.keep(this.list, now);
    this.keep(this.overList, over);
    this.over.hidden = !over.length || this.bare;
    text(one("[data-over-count]", this.over), ngettext("%(n)s of an ended call", "%(n)s of ended calls", over.length));
    const waiting = all.length - now.length - over.length;
    this.more.hidden = !waiting;
    if (waiting) text(this.more, ngettext("%(n)s new: show", "%(n)s new: show", waiting));
    this.showHead(all);
  }

  isHeld() {
    const any = this.list.children.length + this.overList.children.length > 0;
    return any && (isHeld(this.list, this.rail, this.more) || this.over.matches(":focus-within"));
  }

  /** Those of a list as they stand in it: nothing moves under somebody's hand. */
  staying(list, all) {
    const known = new Map(all.map((alert) => [String(alert.alert), alert]));
    return [...list.children].map((item) => known.get(item.dataset.key)).filter(Boolean);
  }

  keep(list, alerts) {
    keep(list, alerts, { key: ({ alert }) => alert, make: () => this.make(), show: (item, alert) => this.show(item, alert) });
  }

  showHead(all) {
    const open = this.open(all).length;
    const known = this.state.knows("alerts");
    text(one("[data-alerts-open]", this.rail), open ? ngettext("%(n)s open", "%(n)s open", open) : "");
    const none = one("[data-no-alerts]", this.rail);
    none.hidden = all.length > 0;
    text(none, known ? gettext("No alerts.") : gettext("The server does not tell of alerts."));
  }

  make() {
    const item = fromTemplate("alert");
    const button = one("[data-ack]", item);
    if (this.bare) {
      button.remove();
      one("[data-link]", item).removeAttribute("href");
    } else {
      button.addEventListener("click", () => this.acknowledge(Number(item.dataset.key)));
    }
    return item;
  }

  show(item, alert) {
    mark(item, "severity", alert.severity);
    mark(item, "taken", alert.acknowledged_at ? "yes" : "");
    one("[data-ended]", item).hidden = !this.isOver(alert);
    showBadge(one("[data-badge]", item), SEVERITIES[alert.severity] ?? SEVERITIES.warning);
    text(one("[data-at]", item), clock.timeOfDay(alert.raised_at));
    one("[data-at]", item).dateTime = alert.raised_at;
    text(one("[data-name]", item), alert.name);
    one("[data-quote]", item).hidden = this.bare || !alert.quote;
    text(one("[data-quote] bdi", item), this.bare ? "" : quoted(alert));
    const link = one("[data-link]", item);
    if (!this.bare) link.href = `/calls/${alert.call}/`;
    text(one("bdi", link), this.who(alert));
    this.showTaken(item, alert);
  }

  showTaken(item, alert) {
    const by = { by: this.bare ? firstName(alert.acknowledged_by) : alert.acknowledged_by, time: clock.timeOfDay(alert.acknowledged_at) };
    const told = by.by ? gettext("Acknowledged by %(by)s at %(time)s", by) : gettext("Acknowledged at %(time)s", by);
    text(one("[data-by]", item), alert.acknowledged_at ? told : "");
    if (this.bare) return;
    const button = one("[data-ack]", item);
    const pending = this.asked.get(alert.alert) === "";
    const failed = alert.acknowledged_at ? "" : (this.asked.get(alert.alert) ?? "");
    if (alert.acknowledged_at && button === document.activeElement) one("[data-link]", item).focus();
    button.hidden = Boolean(alert.acknowledged_at);
    button.setAttribute("aria-disabled", String(pending));
    button.disabled = this.state.cut;
    text(one("[data-word]", button), pending ? gettext("Acknowledging…") : failed ? gettext("Try again") : gettext("Acknowledge"));
    text(one("[data-ack-name]", button), `: ${alert.name}`);
    const place = one("[data-failed]", item);
    place.hidden = !failed;
    text(place, failed);
  }

  /** Take the newest open one of those that stand first. */
  newest() {
    const [alert] = this.open(this.shown());
    if (alert) this.acknowledge(alert.alert);
  }

  async acknowledge(key) {
    const alert = this.state.alerts.get(key);
    if (!alert || alert.acknowledged_at || this.asked.get(key) === "") return;
    this.asked.set(key, "");
    this.draw();
    const { message, error } = await post(alert);
    if (error) this.asked.set(key, error);
    else this.asked.delete(key);
    if (message?.type === "alert") this.state.apply(message);
    this.look();
    this.draw();
  }
}

async function post(alert) {
  try {
    const answer = await fetch(`/calls/${alert.call}/do/`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": one("#live-form [name=csrfmiddlewaretoken]").value },
      body: JSON.stringify({ id: newId(), kind: "alert.acknowledge", alert: alert.alert }),
    });
    const body = await answer.json().catch(() => null);
    return answer.ok && body ? { message: body } : { error: body?.error?.text ?? OUTDATED };
  } catch {
    return { error: NO_LINE };
  }
}
