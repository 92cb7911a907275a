// Every sentence that scripts say, in one place, so that it can be translated in one place.

export const STATES = {
  ringing: { word: "Ringing", tone: "warn", icon: "ringing" },
  live: { word: "In progress", tone: "ok", icon: "talking" },
  ended: { word: "Ended", tone: "", icon: "ended" },
};
export const OUTCOMES = {
  missed: { word: "Not answered", tone: "warn", icon: "missed" },
  failed: { word: "Failed", tone: "bad", icon: "missed" },
};
export const HELP = (reason) => ({ word: `Needs help: ${reason}`, tone: "bad", icon: "bang" });
export const inQueue = (name) => `Queue: ${name}`;
export const SPEAKERS = { caller: "Caller", agent: "Agent", other: "Line" };
export const CONNECTION = {
  connecting: "Connecting",
  live: "Live",
  stale: "Stale",
  reconnecting: "Reconnecting",
  restarting: "Restarting",
  "signed-out": "Signed out",
  "no-access": "No access",
  gone: "Gone",
  outdated: "Out of date",
  taken: "Open elsewhere",
};
export const REASONS = {
  stop: "stopped",
  call_ended: "the call ended",
  dropped: "connection lost",
  lease: "our process ended",
  refused: "broke the protocol",
  silent: "nothing was received",
  drained: "the server restarted",
};
export const GAPS = {
  lost: (length) => `${length} of sound is missing`,
  closed: (length) => `no stream was open for ${length}`,
  paused: (length) => `paused for ${length}`,
};
