// What happened in a call, read from the present state of its nouns: the same live and afterwards.

import { seconds } from "./clock.js";
import { gettext } from "./i18n.js";
import { REASONS } from "./words.js";

/** [{at, text, tone}] in the order of time. */
export function timeline(state, call) {
  const of = (map) => [...(map?.values() ?? [])].filter((one) => one.call === call.call);
  const entries = [
    ...callEntries(call),
    ...state.streamsOf(call.call).flatMap(streamEntries),
    ...of(state.listenings).flatMap(listeningEntries),
    ...of(state.supervisions).flatMap((one) => supervisionEntries(one, call, of(state.commands))),
    ...of(state.alerts).flatMap(alertEntries),
    ...of(state.commands).filter((one) => !isTold(one, of(state.supervisions), of(state.commands))).map(commandEntry).filter(Boolean),
  ];
  return entries.filter((entry) => entry.at).sort((a, b) => a.at.localeCompare(b.at));
}

function callEntries(call) {
  const ended = { missed: gettext("Ended: nobody answered"), failed: gettext("Ended: the call failed") }[call.outcome] ?? gettext("Call ended");
  return [
    { at: call.started_at, text: call.label ? gettext("Called %(line)s", { line: call.label }) : gettext("Call began") },
    ...answeredEntries(call),
    { at: call.ended_at, text: ended, tone: call.outcome === "failed" ? "bad" : call.outcome === "missed" ? "warn" : "" },
  ];
}

/** By the voice first, where there was one; then by the agent who has the call now, or had it last. */
function answeredEntries({ answered_at: at, answered_by: voice, agent, agent_since: since }) {
  const byAgent = agent ? gettext("Answered by %(agent)s", { agent }) : gettext("Answered");
  if (!voice) return [{ at, text: byAgent }];
  return [{ at, text: gettext("Answered by the voice %(voice)s", { voice }) }, { at: since, text: byAgent }];
}

function streamEntries(stream) {
  const { name } = stream;
  const lost = ["dropped", "lease", "refused", "silent"].includes(stream.reason);
  const facts = [
    gettext("Stream %(name)s closed: %(reason)s", { name, reason: REASONS[stream.reason] ?? stream.reason }),
    stream.lost_ms >= 100 ? gettext(", %(time)s lost", { time: seconds(stream.lost_ms) }) : "",
    stream.error ? `. ${stream.error}` : "",
  ];
  return [
    { at: stream.opened_at, text: gettext("Stream %(name)s opened (%(tracks)s)", { name, tracks: stream.tracks.join(", ") }) },
    { at: stream.closed_at, text: facts.join(""), tone: lost ? "bad" : "" },
  ];
}

function listeningEntries({ by, began_at: began, ended_at: ended }) {
  return [
    { at: began, text: gettext("%(by)s began to listen", { by }) },
    { at: ended, text: gettext("%(by)s stopped listening", { by }) },
  ];
}

const MODES = { "call.coach": "coach", "call.join": "join", "call.takeover": "takeover" };

/** Each change of mode is a line of its own; a supervision knows its last mode alone, its commands know them all. */
function supervisionEntries(one, call, commands) {
  const { by, joined_at: joined, ended_at: ended } = one;
  const left = joined ? gettext("%(by)s left the call", { by }) : gettext("%(by)s did not get into the call", { by });
  const modes = joined ? modesOf(one, commands) : [];
  return [...modes.map(({ at, mode }) => ({ at, text: modeText(mode, by, call) })), { at: ended, text: left, tone: joined ? "" : "warn" }];
}

/** [{at, mode}] in the order of time, the first from when they were in the call. */
function modesOf(one, commands) {
  const asked = commands.filter((command) => MODES[command.kind] && command.state === "done" && isWithin(one, command));
  asked.sort((a, b) => a.created_at.localeCompare(b.created_at));
  const modes = asked.map((command) => ({ at: command.settled_at ?? command.created_at, mode: MODES[command.kind] }));
  if (!modes.length) modes.push({ mode: one.mode });
  modes[0].at = one.joined_at;
  return modes.filter(({ mode }, n) => n === 0 || mode !== modes[n - 1].mode);
}

const isWithin = (one, { by, created_at: at }) => by === one.by && at >= one.created_at && !(at > one.ended_at);

function modeText(mode, by, call) {
  if (mode === "takeover") return gettext("%(by)s took the call over from the voice", { by });
  if (mode === "join") return gettext("%(by)s joined the call", { by });
  return gettext("%(by)s began to coach %(agent)s", { by, agent: call.agent || gettext("the agent") });
}

/** What another line tells already: that one left, or took the caller over. */
const isTold = (command, supervisions, commands) => isLeaving(command, supervisions) || isFetching(command, commands);

/** The first redirect by who takes a caller over fetches them from the voice. */
function isFetching(command, commands) {
  if (command.kind !== "call.redirect" || command.state === "failed") return false;
  const before = commands.filter(({ by, created_at: at }) => by === command.by && at < command.created_at);
  const last = before.sort((a, b) => a.created_at.localeCompare(b.created_at)).at(-1);
  return last?.kind === "call.takeover";
}

/** A supervisor who leaves ends their own line: "left the call" tells of it. */
const isLeaving = (command, supervisions) =>
  command.kind === "leg.end" && command.state !== "failed" && supervisions.some((one) => isWithin(one, command));

function alertEntries({ name, raised_at: raised, severity, acknowledged_at: at, acknowledged_by: by }) {
  return [
    { at: raised, text: gettext("Alert: %(name)s", { name }), tone: severity === "critical" ? "bad" : "warn" },
    { at, text: gettext("%(by)s acknowledged: %(name)s", { by, name }) },
  ];
}

// What people asked of Twilio, as it goes on after "Mina asked to …". What the site does of itself tells itself apart
// by what follows, and is only told here when it failed.
const ASKED = {
  "stream.start": gettext("start a stream"),
  "stream.stop": gettext("stop a stream"),
  "call.end": gettext("end the call"),
  "call.redirect": gettext("send the caller on"),
  "call.coach": gettext("coach the agent"),
  "call.join": gettext("join the call"),
  "call.takeover": gettext("take the call over from the voice"),
  "call.hold": gettext("put the caller on hold"),
  "call.resume": gettext("take the caller off hold"),
  "leg.end": gettext("end one line of the call"),
  "leg.mute": gettext("mute one line of the call"),
  "leg.unmute": gettext("unmute one line of the call"),
  "leg.remove": gettext("take somebody out of the call"),
  "agent.ring": gettext("ring an agent"),
  "person.dial": gettext("call a number"),
};

const TOLD_OTHERWISE = new Set(["call.coach", "call.join", "call.takeover"]); // by the part in the call that came of it

function commandEntry({ by, kind, state, text, created_at: at }) {
  const failed = state === "failed";
  if (!failed && (!by || TOLD_OTHERWISE.has(kind))) return null;
  const asked = gettext("%(by)s asked to %(what)s", { by: by || gettext("The system"), what: ASKED[kind] ?? kind });
  return {
    at,
    text: failed ? gettext("%(asked)s. It failed: %(text)s", { asked, text }) : asked,
    tone: failed ? "bad" : state === "unknown" ? "warn" : "",
  };
}
