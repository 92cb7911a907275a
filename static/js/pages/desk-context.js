// All that is known of a caller, in one column: what the ringing dialog shows before the call is answered.

import { make } from "../dom.js";
import { gettext } from "../i18n.js";
import { SPEAKERS } from "../words.js";
import { callbackRow, marks, moment, noteOf, pastCall, pastEmpty, shownNumber } from "./desk-pieces.js";

/** "Rotterdam, Netherlands · 14:05 there". */
export function whereabouts({ caller }) {
  if (!caller) return "";
  const there = caller.local_time ? gettext("%(time)s there", { time: caller.local_time }) : "";
  return [caller.place, there].filter(Boolean).join(" · ");
}

/** Name, company, number, place. */
export function nameplate(context) {
  const plate = make("div", "nameplate");
  const { contact, caller } = context;
  if (contact) plate.append(make("strong", "", contact.name));
  if (contact?.company) plate.append(make("bdi", "sub", contact.company));
  plate.append(make("bdi", "phone", shownNumber(caller)));
  const where = whereabouts(context);
  if (where) plate.append(make("span", "sub", where));
  const line = marks(context);
  if (line) plate.append(line);
  if (contact?.note) plate.append(make("bdi", "row-note", contact.note));
  return plate;
}

/** Sections for the ringing dialog, only those that say something. */
export function briefing(context) {
  const { contact, caller, said = [], voice = "", matters = [], calls = [], notes = [], callbacks = [], entered = {} } = context;
  const number = make("p", "brief-line");
  number.append(make("bdi", "phone", shownNumber(caller)), make("span", "sub", whereabouts(context)));
  return [
    number,
    contact?.company ? make("bdi", "sub", contact.company) : null,
    marks(context),
    saidSoFar(said, voice),
    section(gettext("They entered"), Object.entries(entered).map(([name, value]) => make("span", "", `${name}: ${value}`)).map(asItem)),
    section(gettext("Open matters"), matters.map(({ text, opened_at: at }) => matterLine(text, at))),
    section(gettext("Notes"), [contact?.note ? asItem(make("bdi", "", contact.note)) : null, ...notes.map(noteOf)].filter(Boolean)),
    section(gettext("Promised callbacks"), callbacks.map((one) => callbackRow(one, { who: false }))),
    section(calls.length ? gettext("Last calls") : "", calls.map(pastCall)) ?? make("p", "sub", pastEmpty(context)),
  ].filter(Boolean);
}

/** What the caller said, and with a voice: who of the two said what. */
function saidSoFar(said, voice) {
  if (!said.some(({ speaker }) => speaker === "voice")) return section(gettext("They said"), said.map(({ text }) => make("q", "", text)).map(asItem));
  return section(gettext("Said so far"), said.map((line) => spoken(line, voice)));
}

function spoken({ speaker, text: words }, voice) {
  const item = make("li");
  const isVoice = speaker === "voice";
  const who = make("bdi", isVoice ? "agent-mark" : "caller-mark", isVoice ? voice || SPEAKERS.voice : SPEAKERS.caller);
  item.append(who, ": ", make("bdi", "", words));
  return item;
}

function asItem(element) {
  const item = make("li");
  item.append(element);
  return item;
}

function matterLine(words, at) {
  const item = make("li");
  item.append(make("bdi", "", words), make("span", "sub", ` ${gettext("since %(time)s", { time: moment(at) })}`));
  return item;
}

function section(title, items) {
  if (!items.length) return null;
  const box = make("section", "brief");
  const list = make("ul", "rows");
  list.append(...items);
  box.append(make("h3", "", title), list);
  return box;
}
