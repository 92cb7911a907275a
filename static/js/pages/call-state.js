// What the page of one call knows beside call, streams and words: alerts, who listens, who is in the call, marked
// moments, notes; of the caller what is known from before.

import { State } from "../state.js";

const NOUNS = {
  alert: "alerts",
  listening: "listenings",
  supervision: "supervisions",
  moment: "moments",
  note: "notes",
  waiting: "waits",
};

export class CallState extends State {
  alerts = new Map();
  listenings = new Map();
  supervisions = new Map();
  moments = new Map();
  notes = new Map();
  waits = new Map();
  history = { calls: [], contact: null };
  phrases = {}; // of word rules, by the rule's name
  me = { user: null, name: "", may: {} };

  apply(message) {
    const name = NOUNS[message.type];
    if (name) this.keepRow(name, message);
    else super.apply(message.type === "call" ? this.whole(message) : message);
  }

  /** The answer to an act tells the call without what it is doing; that stays as it was. */
  whole(message) {
    return message.gone || message.phase ? message : { ...this.calls.get(message.call), ...message };
  }

  keepRow(name, message) {
    const key = message[message.type];
    if (message.gone) this[name].delete(key);
    else this[name].set(key, message);
    this.tell(message.call ?? null);
  }

  load(snapshot) {
    const waiting = [snapshot.waiting ?? []].flat(); // the one open wait of the call, or a list of it
    this.fill("alert", snapshot.alerts);
    this.fill("listening", snapshot.listenings);
    this.fill("supervision", snapshot.supervisions);
    this.fill("moment", snapshot.moments);
    this.fill("note", snapshot.notes);
    this.fill("waiting", waiting);
    this.history = snapshot.history ?? this.history;
    this.phrases = snapshot.phrases ?? this.phrases;
    this.me = snapshot.me ?? this.me;
    super.load({ ...snapshot, waiting });
  }

  fill(noun, rows) {
    this[NOUNS[noun]] = new Map((rows ?? []).map((row) => [row[noun], row]));
  }

  /** Those who listen now, by name; of the call `id`. */
  listenersOf(id) {
    return [...this.listenings.values()].filter((one) => one.call === id && !one.ended_at);
  }

  /** Who coaches, has joined, or is being connected; or undefined. One at a time. */
  supervisorOf(id) {
    return [...this.supervisions.values()].find((one) => one.call === id && one.state !== "ended");
  }

  /** The open wait of a call, or undefined. */
  waitOf(id) {
    return [...this.waits.values()].find((one) => one.call === id && !one.left_at);
  }

  allAlerts(id) {
    return [...this.alerts.values()].filter((one) => one.call === id).sort((a, b) => b.raised_at.localeCompare(a.raised_at));
  }

  momentsOf(id) {
    return [...this.moments.values()].filter((one) => one.call === id).sort((a, b) => a.at_ms - b.at_ms);
  }
}
