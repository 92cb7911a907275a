// Badges and health in words, as every page shows them.

import { icon, mark, one, text } from "../dom.js";
import { HELP } from "../words.js";

const HEALTH_ICONS = { ok: "ok", warn: "bang", bad: "bang" };

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
  return call.answered_at ? "agent" : "other";
}
