// Messages that callers left: one is heard at a time, and one that cannot be fetched says so.

import { all, one } from "../dom.js";
import { localDates } from "./dates.js";

localDates();

const players = all("audio");
for (const player of players) {
  const failed = one("[data-failed]", player.parentElement);
  player.addEventListener("play", () => {
    failed.hidden = true;
    for (const other of players) if (other !== player) other.pause();
  });
  player.addEventListener("error", () => {
    failed.hidden = false;
  });
}
