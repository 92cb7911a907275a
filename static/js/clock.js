// Server time: what the browser's clock lacks, learnt from every message; and durations in words.

import { gettext } from "./i18n.js";

let offset = 0;
let known = false;

/** Learn from a message's `at`. The largest difference is the least delayed, so it is the best. */
export function learn(at) {
  const difference = Date.parse(at) - Date.now();
  if (Number.isFinite(difference) && (!known || difference > offset)) {
    offset = difference;
    known = true;
  }
}

/** Forget the offset, because the line was cut and the clock may have been set. */
export function forget() {
  known = false;
}

/** Now in ms, by the server's clock. */
export const now = () => Date.now() + offset;

const two = (number) => String(number).padStart(2, "0");

/** 75000 → "01:15"; over an hour "1:01:15". */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
}

/** 1340 → "1.3 s". */
export const seconds = (ms) => gettext("%(n)s s", { n: (ms / 1000).toFixed(1) });

/** The time of day of a moment, "14:02:07" or "14:02". */
export function timeOfDay(moment, withSeconds = true) {
  const date = new Date(moment);
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  return withSeconds ? `${clock}:${two(date.getSeconds())}` : clock;
}

const listeners = new Set();
let timer = null;

/** Call `listener` each second, on the second; returns how to stop it. */
export function eachSecond(listener) {
  listeners.add(listener);
  if (timer === null) tick();
  return () => listeners.delete(listener);
}

function tick() {
  for (const listener of listeners) listener();
  timer = setTimeout(tick, 1000 - (now() % 1000) + 5);
}
