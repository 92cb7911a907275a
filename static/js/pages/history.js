// The list of calls: j and k go through it; calls in progress tick.

import "../elements/cc-timer.js";
import { timeOfDay } from "../clock.js";
import { all, one, text } from "../dom.js";
import { moveFocus, onKey } from "../keys.js";

// As everywhere on the pages, times are those of the reader's own clock.
const day = { day: "numeric", month: "short", year: "numeric" };
for (const time of all("[data-local]")) {
  text(one("[data-day]", time), new Date(time.dateTime).toLocaleDateString(document.documentElement.lang, day));
  text(one("[data-clock]", time), timeOfDay(time.dateTime));
}

onKey("j", () => moveFocus(".history [data-open]", 1));
onKey("k", () => moveFocus(".history [data-open]", -1));
