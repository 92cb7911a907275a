// Badges and health in words, as every page shows them.

import { icon, mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { HELP, OUTCOMES, STATES } from "../words.js";

const HEALTH_ICONS = { ok: "ok", warn: "bang", bad: "bang" };
export const PHASES = {
  ringing: STATES.ringing,
  queued: { word: gettext("Queued"), tone: "warn", icon: "pause" },
  talking: { word: gettext("In progress"), tone: "ok", icon: "talking" },
  hold: { word: gettext("On hold"), tone: "warn", icon: "pause" },
  wrapup: { word: gettext("Wrap-up"), tone: "warn", icon: "ended" },
  ended: STATES.ended,
};

/** What a call is doing: ringing, queued, talking, hold, wrapup or ended. */
export function phaseOf({ phase, state }) {
  if (state === "ended") return phase === "wrapup" ? "wrapup" : "ended";
  return phase ?? (state === "live" ? "talking" : state);
}

/** {word, tone, icon} of a call: its phase; of an ended one how it ended, where that was bad. */
export function phaseBadge(call) {
  const phase = phaseOf(call);
  return (phase === "ended" && OUTCOMES[call.outcome]) || PHASES[phase] || STATES[call.state];
}

/** {word, tone, icon} in a <span class="badge">. */
export function showBadge(badge, { word, tone, icon: name }) {
  mark(badge, "tone", tone);
  icon(one("svg", badge), name);
  text(one("[data-word]", badge), word);
}

/** {word, tone} in a <span class="health">. */
export function showHealth(place, { word, tone }) {
  mark(place, "tone", tone);
  icon(one("svg", place), HEALTH_ICONS[tone] ?? "none");
  text(one("[data-word]", place), word);
}

/** That the agent of a live call asks for help, and why; the place is a hidden badge. */
export function showHelp(badge, call) {
  badge.hidden = !call.help || call.state === "ended";
  if (badge.hidden) return;
  showBadge(badge, HELP(call.help));
  badge.title = call.help; // the place may be too narrow for it
}

/** Who speaks on a track before the line is final; as the server names it. */
export function speakerOf(track, call) {
  if (track === "inbound") return "caller";
  if (call.voice) return "voice";
  return call.answered_at ? "agent" : "other";
}

/** Who speaks with the caller: a voice, else the agent, else `nobody`. */
export function partnerOf(call, nobody, shown = (name) => name) {
  if (call.voice) return gettext("Voice: %(name)s", { name: call.voice });
  return call.agent ? shown(call.agent) : nobody;
}

/** "Mina", "Mina and Ada", "Mina, Ada and Ben". */
export function namesInWords(names) {
  if (names.length < 2) return names[0] ?? "";
  return gettext("%(some)s and %(last)s", { some: names.slice(0, -1).join(", "), last: names.at(-1) });
}

/** Why a button of the bar cannot be pressed: at the pointer, and for screen readers where the bar says it. */
export function showWhy(button, why) {
  button.title = why;
  if (why) button.setAttribute("aria-describedby", "acts-why");
  else button.removeAttribute("aria-describedby");
}

/** A button that waits for an answer says so. */
export function showBusy(button, busy) {
  if (busy) button.setAttribute("aria-busy", "true");
  else button.removeAttribute("aria-busy");
}
