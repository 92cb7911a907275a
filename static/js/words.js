// The words that several scripts share: states, outcomes, speakers, holes.

import { gettext } from "./i18n.js";

export const STATES = {
  ringing: { word: gettext("Ringing"), tone: "warn", icon: "ringing" },
  live: { word: gettext("In progress"), tone: "ok", icon: "talking" },
  ended: { word: gettext("Ended"), tone: "", icon: "ended" },
};
export const OUTCOMES = {
  missed: { word: gettext("Not answered"), tone: "warn", icon: "missed" },
  failed: { word: gettext("Failed"), tone: "bad", icon: "missed" },
};
export const HELP = (reason) => ({ word: gettext("Needs help: %(reason)s", { reason }), tone: "bad", icon: "bang" });
export const inQueue = (name) => gettext("Queue: %(name)s", { name });
export const SPEAKERS = { caller: gettext("Caller"), agent: gettext("Agent"), voice: gettext("Voice"), other: gettext("Line") };
export const NO_LINE = gettext("There is no connection to the server.");
export const CONNECTION = {
  connecting: gettext("Connecting"),
  live: gettext("Live"),
  stale: gettext("Stale"),
  reconnecting: gettext("Reconnecting"),
  restarting: gettext("Restarting"),
  slow: gettext("Slow line"),
  "signed-out": gettext("Signed out"),
  "no-access": gettext("No access"),
  gone: gettext("Gone"),
  outdated: gettext("Out of date"),
  taken: gettext("Open elsewhere"),
};
export const REASONS = {
  stop: gettext("stopped"),
  call_ended: gettext("the call ended"),
  dropped: gettext("connection lost"),
  lease: gettext("our process ended"),
  refused: gettext("broke the protocol"),
  silent: gettext("nothing was received"),
  drained: gettext("the server restarted"),
};
export const GAPS = {
  lost: (length) => gettext("%(length)s of sound is missing", { length }),
  closed: (length) => gettext("no stream was open for %(length)s", { length }),
  paused: (length) => gettext("paused for %(length)s", { length }),
};
