// As everywhere on the pages, times are those of the reader's own clock.

import { timeOfDay } from "../clock.js";
import { all, one, text } from "../dom.js";

const day = { day: "numeric", month: "short", year: "numeric" };

/** Write each time that the server has put down in its own clock. */
export function localDates() {
  for (const time of all("[data-local]")) {
    text(one("[data-day]", time), new Date(time.dateTime).toLocaleDateString(document.documentElement.lang, day));
    text(one("[data-clock]", time), timeOfDay(time.dateTime));
  }
}
