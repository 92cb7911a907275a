// Who of the supervisors is with the call at hand: listens, coaches, or has joined. Said once, when it changes.

import { one, text } from "../dom.js";
import { gettext } from "../i18n.js";

const COACH = "coach";
const IN = "in";

export class Watchers {
  constructor() {
    this.place = one("[data-watchers]"); // stays in the page: a status is only read out where one stood before
  }

  draw({ offer, watchers }) {
    text(this.place, offer?.state === "accepted" ? sentence(watchers) : "");
  }
}

/** {listeners: [names], supervisor: {name, mode, state} | null} in words; "" for nobody. */
function sentence(watchers) {
  const { supervisor = null, listeners = [] } = watchers ?? {};
  const others = [...new Set(listeners)].filter((name) => name !== supervisor?.name);
  return [supervisor ? withYou(supervisor) : "", ...listening(others)].filter(Boolean).join(" · ");
}

function withYou({ name, mode, state }) {
  if (state !== IN) return gettext("%(name)s is connecting to this call", { name });
  if (mode === COACH) return gettext("%(name)s coaches you: only you hear them", { name });
  return gettext("%(name)s has joined the call", { name });
}

function listening(names) {
  if (names.length === 2) return [gettext("%(one)s and %(two)s are listening", { one: names[0], two: names[1] })];
  return names.map((name) => gettext("%(name)s is listening", { name }));
}
