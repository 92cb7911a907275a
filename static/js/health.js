// The streams of a call in words.

import { seconds } from "./clock.js";

const LATE_MS = 1_500;

/** {word, tone} for a call: "Good, 2 tracks", "No stream", … */
export function streamHealth(state, call) {
  if (call.state === "ended") return { word: "Ended", tone: "" };
  const open = state.openOf(call.call);
  if (!open.length) return withoutStream(state, call);
  if (open.some((stream) => stream.paused)) return { word: "Paused", tone: "warn" };
  const health = open.map((stream) => ({ ...stream, ...state.health.get(stream.stream) }));
  const lost = Math.max(...health.map((one) => one.lost_ms ?? 0));
  const behind = Math.max(...health.map((one) => one.behind_ms ?? 0));
  const tracks = open.reduce((sum, stream) => sum + stream.tracks.length, 0);
  const what = tracks === 1 ? "1 track" : `${tracks} tracks`;
  if (lost >= 100) return { word: `${seconds(lost)} lost`, tone: "warn" };
  if (behind > LATE_MS) return { word: `Words ${seconds(behind)} late`, tone: "warn" };
  return { word: `Good, ${what}`, tone: "ok" };
}

function withoutStream(state, call) {
  const closed = state.streamsOf(call.call);
  if (!closed.length) return { word: call.state === "ringing" ? "Not yet" : "No stream", tone: call.state === "ringing" ? "" : "warn" };
  const stopped = !call.tap_wanted;
  return stopped ? { word: "Stopped", tone: "" } : { word: "Stream lost", tone: "bad" };
}
