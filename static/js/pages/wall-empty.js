// What stands in place of the calls when there are none: why, and what to do.

import * as clock from "../clock.js";
import { one, text } from "../dom.js";
import { gettext } from "../i18n.js";

const FIRST = {
  title: gettext("No numbers are connected yet."),
  text: gettext("Connect a number and call it, or look around with calls that are only played."),
};
const FILTERED = {
  title: gettext("No call matches the filter."),
  text: gettext("Calls of other teams and queues go on; they are not shown here."),
};

export class Empty {
  constructor(state, filter) {
    this.state = state;
    this.filter = filter;
    this.place = one("[data-empty]");
    this.table = one("[data-calls]");
    const dialog = one("#simulated");
    one("[data-simulated]")?.addEventListener("click", () => dialog.showModal());
  }

  show(rows) {
    one("[data-loading]").hidden = true;
    this.table.hidden = rows === 0;
    this.place.hidden = rows > 0;
    if (rows) return;
    const { site } = this.state;
    const first = !site.numbers && !site.last_ended_at;
    const shown = this.filter.on ? FILTERED : first ? FIRST : this.none(site);
    text(one("[data-empty-title]"), shown.title);
    text(one("[data-empty-text]"), shown.text);
    one("[data-first-run]").hidden = !first || this.filter.on;
    one("[data-filtered]").hidden = !this.filter.on;
  }

  none({ last_ended_at: ended }) {
    const last = ended ? gettext("Last call ended at %(time)s.", { time: clock.timeOfDay(ended, false) }) : "";
    return { title: `${gettext("No calls right now.")} ${last}`.trim(), text: gettext("A call appears here within half a second of its first ring.") };
  }
}
