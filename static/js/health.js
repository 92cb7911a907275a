// The streams of a call in words.

import { seconds } from "./clock.js";
import { gettext, ngettext } from "./i18n.js";

const LATE_MS = 1_500;

/** {word, tone} for a call: "Good, 2 tracks", "No stream", … */
export function streamHealth(state, call) {
  if (call.state === "ended") return { word: gettext("Ended"), tone: "" };
  if (state.cut) return { word: gettext("Not known now"), tone: "" };
  const open = state.openOf(call.call);
  if (!open.length) return withoutStream(state, call);
  if (open.some((stream) => stream.paused)) return { word: gettext("Paused"), tone: "warn" };
  const { lost, behind } = worst(state, open);
  const tracks = open.reduce((sum, stream) => sum + stream.tracks.length, 0);
  if (lost >= 100) return { word: gettext("%(time)s lost", { time: seconds(lost) }), tone: "warn" };
  if (transcription(state, call).state === "failed") return { word: gettext("Transcription failed"), tone: "bad" };
  if (behind > LATE_MS) return { word: gettext("Words %(time)s late", { time: seconds(behind) }), tone: "warn" };
  return { word: ngettext("Good, %(n)s track", "Good, %(n)s tracks", tracks), tone: "ok" };
}

/** What is known of the sound of the open streams: "mu-law 8 kHz, 0.2 s lost, 3 packets late"; "" without one. */
export function soundInWords(state, call) {
  const open = state.openOf(call.call);
  if (state.cut || !open.length) return "";
  const { lost, late } = worst(state, open);
  const parts = [gettext("mu-law 8 kHz")]; // audio/x-mulaw at 8000 is all that Media Streams send
  parts.push(lost >= 100 ? gettext("%(time)s lost", { time: seconds(lost) }) : gettext("nothing lost"));
  parts.push(late ? ngettext("%(n)s packet late", "%(n)s packets late", late) : gettext("none late"));
  return parts.join(", ");
}

/**
 * How the writing down goes: {state, word, tone}. "none": no stream is open; "stopped": a person stopped it;
 * "failed": the engine gives no words; "runs" with how far it is behind.
 */
export function transcription(state, call) {
  const open = state.openOf(call.call);
  if (call.state === "ended" || !open.length) return { state: "none", word: "", tone: "" };
  const told = open.filter((stream) => stream.words !== false);
  if (!told.length) return { state: "stopped", word: gettext("Transcription stopped"), tone: "warn" };
  const health = told.map((stream) => state.health.get(stream.stream) ?? {});
  if (health.every((one) => one.failed)) return { state: "failed", word: gettext("Transcription failed"), tone: "bad" };
  if (state.cut) return { state: "runs", word: "", tone: "" };
  const behind = Math.max(...health.map((one) => one.behind_ms ?? 0));
  const word = gettext("Transcription %(time)s behind", { time: seconds(behind) });
  return { state: "runs", word, tone: behind > LATE_MS ? "warn" : "" };
}

/** The most that any of these streams lost, and how far the slowest words are behind; late packets together. */
function worst(state, streams) {
  const health = streams.map((stream) => ({ ...stream, ...state.health.get(stream.stream) }));
  const most = (name) => Math.max(...health.map((one) => one[name] ?? 0));
  return { lost: most("lost_ms"), behind: most("behind_ms"), late: health.reduce((sum, one) => sum + (one.late ?? 0), 0) };
}

function withoutStream(state, call) {
  const closed = state.streamsOf(call.call);
  if (!closed.length && call.state === "ringing") return { word: gettext("Not yet"), tone: "" };
  if (!closed.length) return { word: gettext("No stream"), tone: "warn" };
  return call.tap_wanted ? { word: gettext("Stream lost"), tone: "bad" } : { word: gettext("Stopped"), tone: "" };
}
