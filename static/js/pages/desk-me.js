// The agent's own line: state, status, and while no call is at hand the figures of the day and the callbacks.

import * as clock from "../clock.js";
import { all, mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { busy, callbackRow, fill } from "./desk-pieces.js";
import { ME, REASONS } from "./desk-words.js";
import { showBadge } from "./pieces.js";

const DECLINED = gettext("You declined a call and are Away, so that the next caller does not ring in vain.");
const MISSED = gettext("You missed a call and are Away, so that the next caller does not ring in vain.");

export class Me {
  /** `desk` has state, act(kind, fields) and mayBeReady(). */
  constructor(desk) {
    this.desk = desk;
    this.reason = one("[data-away-reason]");
    for (const button of all("[data-status]")) button.addEventListener("click", () => this.choose(button, button.dataset.status));
    this.reason.addEventListener("change", () => desk.state.me.status === "away" && this.choose(this.reason, "away"));
    one("[data-back]").addEventListener("click", ({ currentTarget }) => this.choose(currentTarget, "ready"));
  }

  choose(button, status) {
    if (status === "ready" && !this.desk.mayBeReady()) return;
    const reason = status === "away" ? this.reason.value : "";
    busy(button, () => this.desk.act("status", { status, reason }));
  }

  draw({ me, missed }) {
    text(one("[data-name]"), me.name);
    const reason = me.state === "away" && me.reason ? ` (${REASONS[me.reason] ?? me.reason})` : "";
    const shown = ME[me.state] ?? ME.offline;
    showBadge(one("[data-state-badge]"), { ...shown, word: shown.word + reason });
    one("[data-since]").run(me.since);
    for (const button of all("[data-status]")) button.setAttribute("aria-pressed", String(button.dataset.status === me.status));
    if (me.status === "away" && me.reason in REASONS && document.activeElement !== this.reason) this.away(me.reason);
    one("[data-missed]").hidden = !missed;
    if (missed) text(one("[data-text]", one("[data-missed]")), me.reason === "declined" ? DECLINED : MISSED);
  }

  away(reason) {
    if ([...this.reason.options].some((option) => option.value === reason)) this.reason.value = reason;
  }
}

export class Day {
  constructor(desk) {
    this.desk = desk;
    this.box = one('[data-mode="idle"]');
  }

  draw({ today, depth, callbacks, dial }) {
    this.depth = depth;
    this.figure("answered", String(today.answered));
    this.figure("missed", String(today.missed));
    this.figure("talk", clock.duration(today.talk_s * 1000));
    this.figure("wrapup", clock.duration(today.wrapup_s * 1000));
    this.figure("waiting", String(depth.waiting));
    mark(one('[data-figure="waiting"]', this.box), "tone", depth.waiting ? "warn" : "");
    this.second();
    const rows = callbacks.map((callback) => ({ ...callback, may_call: dial.allowed }));
    fill(one("[data-callbacks]", this.box), rows, (row) => this.callback(row));
    one("[data-no-callbacks]", this.box).hidden = callbacks.length > 0;
  }

  callback(row) {
    const fields = { callback: row.callback };
    const act = (button) => busy(button, () => this.desk.act("callback.cancel", fields));
    const call = (button) => busy(button, () => this.desk.callOut("callback.call", fields));
    return callbackRow(row, { act, call: row.may_call ? call : null });
  }

  /** The longest wait goes on by itself. */
  second() {
    const since = this.depth?.longest_since;
    const note = since ? gettext("longest %(time)s", { time: clock.duration(clock.now() - Date.parse(since)) }) : gettext("nobody");
    text(one('[data-figure="waiting"] [data-note]', this.box), note);
  }

  figure(name, value) {
    text(one(`[data-figure="${name}"] [data-value]`, this.box), value);
  }
}
