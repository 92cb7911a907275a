// What happened in a call, read from the present state of its nouns: the same live and afterwards.

import { seconds } from "./clock.js";
import { REASONS } from "./words.js";

/** [{at, text, tone}] in the order of time. */
export function timeline(state, call) {
  const entries = [...callEntries(call), ...state.streamsOf(call.call).flatMap(streamEntries), ...commandEntries(state, call)];
  return entries.filter((entry) => entry.at).sort((a, b) => a.at.localeCompare(b.at));
}

function callEntries(call) {
  const answered = { at: call.answered_at, text: call.agent ? `Answered by ${call.agent}` : "Answered" };
  const ended = { missed: "Ended: nobody answered", failed: "Ended: the call failed" }[call.outcome] ?? "Call ended";
  return [
    { at: call.started_at, text: call.label ? `Called ${call.label}` : "Call began" },
    answered,
    { at: call.ended_at, text: ended, tone: call.outcome === "failed" ? "bad" : call.outcome === "missed" ? "warn" : "" },
  ];
}

function streamEntries(stream) {
  const reason = REASONS[stream.reason] ?? stream.reason;
  const lost = ["dropped", "lease", "refused", "silent"].includes(stream.reason);
  const note = stream.lost_ms >= 100 ? `, ${seconds(stream.lost_ms)} lost` : "";
  return [
    { at: stream.opened_at, text: `Stream ${stream.name} opened (${stream.tracks.join(", ")})` },
    { at: stream.closed_at, text: `Stream ${stream.name} closed: ${reason}${note}${stream.error ? `. ${stream.error}` : ""}`, tone: lost ? "bad" : "" },
  ];
}

function commandEntries(state, call) {
  const names = { "stream.start": "start a stream", "stream.stop": "stop a stream" };
  return [...state.commands.values()]
    .filter((command) => command.call === call.call)
    .map((command) => ({
      at: command.created_at,
      text: `${command.by || "The system"} asked to ${names[command.kind] ?? command.kind}${command.state === "failed" ? `. It failed: ${command.text}` : ""}`,
      tone: command.state === "failed" ? "bad" : command.state === "unknown" ? "warn" : "",
    }));
}
