// What several parts of the desk are made of: rows, facts, buttons that are busy, times in words.

import { duration, now, timeOfDay } from "../clock.js";
import { make, mark, newIcon, text } from "../dom.js";
import { gettext, ngettext } from "../i18n.js";
import { CALLS, VERIFIED } from "./desk-words.js";

/** Let a button wait for a promise: it is busy until then, and says so. */
export async function busy(button, promise) {
  if (button.getAttribute("aria-busy") === "true") return null;
  button.setAttribute("aria-busy", "true");
  try {
    return await promise();
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** Put items in a list if what they say changed; the focus stays where it is. */
export function fill(list, entries, draw) {
  const said = JSON.stringify(entries);
  if (list.said === said) return;
  list.said = said;
  list.replaceChildren(...entries.map(draw));
}

/** What is known of a caller's wish, by its name: other people's words. */
export function factLine([name, value]) {
  const item = make("li");
  item.append(make("bdi", "", `${name}: ${value}`));
  return item;
}

/** 31612345678 → a number as people read it is the server's; here only "Withheld" for none. */
export const shownNumber = (caller) => (caller?.withheld ? gettext("Number withheld") : caller?.shown || caller?.number || "");

/** "14:02", "Yesterday 14:02", "3 Nov 2026, 14:02". */
export function moment(at) {
  const date = new Date(at);
  const days = Math.round((midnight(now()) - midnight(date)) / 86_400_000);
  const clock = timeOfDay(at, false);
  if (days === 0) return clock;
  if (days === 1) return gettext("Yesterday %(time)s", { time: clock });
  if (days === -1) return gettext("Tomorrow %(time)s", { time: clock });
  return `${date.toLocaleDateString(document.documentElement.lang, { day: "numeric", month: "short", year: "numeric" })}, ${clock}`;
}

const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);

export function badge({ word, tone }) {
  const one = make("span", "badge");
  mark(one, "tone", tone);
  one.append(newIcon(tone === "ok" ? "ok" : tone ? "bang" : "none"), make("span", "", word));
  return one;
}

export function smallButton(word, act, quiet = "") {
  const button = make("button", "button small", word);
  button.type = "button";
  if (quiet) button.append(make("span", "quiet", ` ${quiet}`));
  button.addEventListener("click", () => act(button));
  return button;
}

/** A button that asks once more before it acts. */
export function sureButton(word, sure, act, quiet = "") {
  const button = smallButton(word, () => {
    if (button.sure) act(button);
    else {
      button.sure = true;
      text(button.firstChild, sure);
      setTimeout(() => {
        button.sure = false;
        text(button.firstChild, word);
      }, 4_000);
    }
  });
  button.replaceChildren(make("span", "", word));
  if (quiet) button.append(make("span", "quiet", ` ${quiet}`));
  return button;
}

/** Tags, verification and the like in one line. */
export function marks(context) {
  const line = make("p", "marks");
  const verified = VERIFIED[context.verified];
  if (verified) line.append(badge(verified));
  for (const tag of context.contact?.tags ?? []) line.append(make("bdi", "tag", tag));
  if (context.voicemails) line.append(badge({ word: ngettext("%(n)s unheard message", "%(n)s unheard messages", context.voicemails), tone: "warn" }));
  return line.childElementCount ? line : null;
}

/** One earlier call: when, how it ended, with whom, how long, what was noted. */
export function pastCall(call) {
  const item = make("li");
  const head = make("p", "row-head");
  const time = make("time", "", moment(call.started_at));
  time.dateTime = call.started_at;
  const about = [call.outcome ? (CALLS[call.outcome] ?? call.outcome) : "", call.queue, call.agent].filter(Boolean).join(" · ");
  head.append(time, make("bdi", "", about), make("span", "sub", call.seconds ? duration(call.seconds * 1000) : ""));
  item.append(head);
  if (call.note) item.append(make("bdi", "row-note", call.note));
  return item;
}

export const pastEmpty = (context) =>
  context.caller?.withheld ? gettext("The number is withheld: earlier calls are not known.") : gettext("First call from this number.");

export function noteOf({ by, text: words, at }) {
  const item = make("li");
  const head = make("p", "row-head");
  head.append(make("bdi", "", by), make("span", "sub", at ? moment(at) : ""));
  item.append(head, make("bdi", "row-note", words));
  return item;
}

export function callbackRow(callback, { act = null, call = null, who = true } = {}) {
  const item = make("li");
  const whom = callback.who || callback.e164;
  const head = make("p", "row-head");
  const time = make("time", "", moment(callback.due_at));
  time.dateTime = callback.due_at;
  head.append(time);
  if (who) head.append(make("bdi", "", whom));
  if (callback.queue) head.append(make("span", "sub", callback.queue));
  if (call) head.append(smallButton(gettext("Call now"), call, whom));
  if (act) head.append(sureButton(gettext("Cancel"), gettext("Cancel it?"), act, gettext("callback of %(whom)s", { whom })));
  item.append(head);
  if (who && callback.who && callback.who !== callback.e164) item.append(make("bdi", "sub phone", callback.e164));
  if (callback.note) item.append(make("bdi", "row-note", callback.note));
  return item;
}
