// The words of the wall: what calls, agents and alerts are doing.

import { gettext, ngettext } from "../i18n.js";
import { REASONS } from "./desk-words.js";

export const PHASES = {
  ringing: { word: gettext("Ringing"), tone: "warn", icon: "ringing" },
  queued: { word: gettext("Waiting"), tone: "warn", icon: "queued" },
  talking: { word: gettext("Talking"), tone: "ok", icon: "talking" },
  hold: { word: gettext("On hold"), tone: "warn", icon: "hold" },
  wrapup: { word: gettext("Wrap-up"), tone: "", icon: "ended" },
  ended: { word: gettext("Ended"), tone: "", icon: "ended" },
};
export const OUTCOMES = {
  missed: { word: gettext("Not answered"), tone: "warn", icon: "missed" },
  failed: { word: gettext("Failed"), tone: "bad", icon: "missed" },
};
export const SEVERITIES = {
  critical: { word: gettext("Critical"), tone: "bad", icon: "bad" },
  warning: { word: gettext("Warning"), tone: "warn", icon: "bang" },
};
export const GROUPS = [
  { name: "ready", word: gettext("Ready"), tone: "ok", icon: "talking", states: ["ready"] },
  { name: "on_call", word: gettext("On a call"), tone: "", icon: "ringing", states: ["on_call", "ringing"] },
  { name: "wrapup", word: gettext("Wrap-up"), tone: "", icon: "ended", states: ["wrapup"] },
  { name: "away", word: gettext("Away"), tone: "warn", icon: "none", states: ["away"] },
];
const YOU = { listens: gettext("You listen"), coaches: gettext("You coach"), joined: gettext("You are in the call") };
const WATCHERS = {
  listens: (by) => gettext("%(by)s listens", { by }),
  coaches: (by) => gettext("%(by)s coaches", { by }),
  joined: (by) => gettext("%(by)s is in the call", { by }),
};

/** Why an agent is away: our own reasons in words, theirs as they wrote it. */
export const away = (reason) => REASONS[reason] ?? reason;

/** "You listen", "Mina listens", "Mina coaches" …, or that she is being connected. */
export const watcher = ({ by, how, state, user }, me) => {
  if (state === "ringing") return gettext("%(by)s is being connected", { by });
  return user === me ? YOU[how] : WATCHERS[how](by);
};

/** What help is asked for; without the reason where words are not shown. */
export const help = (reason) => ({
  word: reason ? gettext("Needs help: %(reason)s", { reason }) : gettext("Needs help"),
  tone: "bad",
  icon: "bad",
});

/** The open alerts of a call in one badge, the worst first. */
export function alertsBadge(alerts) {
  const worst = alerts.find((alert) => alert.severity === "critical") ?? alerts[0];
  const { tone, icon } = SEVERITIES[worst.severity] ?? SEVERITIES.warning;
  const more = alerts.length - 1;
  const word = more ? ngettext("%(name)s and %(n)s more", "%(name)s and %(n)s more", more, { name: worst.name }) : worst.name;
  return { word, tone, icon };
}

/** On a screen for everybody: the first name alone, and no telephone number in place of one. */
export function firstName(name) {
  const first = (name ?? "").trim().split(/\s+/)[0] ?? "";
  return /\p{L}/u.test(first) && !/[\d@:]/.test(first) ? first : gettext("Caller");
}
