// The words of Twilio's SDK: states, events, sounds.

import { SOUNDS } from "./tones.js";

export const CALL_STATE = {
  Closed: "closed",
  Connecting: "connecting",
  Open: "open",
  Pending: "pending",
  Reconnecting: "reconnecting",
  Ringing: "ringing",
};
export const CALL_DIRECTION = { Incoming: "INCOMING", Outgoing: "OUTGOING" };
export const CODEC = { Opus: "opus", PCMU: "pcmu" };
export const FEEDBACK_ISSUE = {
  AudioLatency: "audio-latency",
  ChoppyAudio: "choppy-audio",
  DroppedCall: "dropped-call",
  Echo: "echo",
  NoisyCall: "noisy-call",
  OneWayAudio: "one-way-audio",
};
export const FEEDBACK_SCORE = { One: 1, Two: 2, Three: 3, Four: 4, Five: 5 };
export const DEVICE_STATE = {
  Destroyed: "destroyed",
  Unregistered: "unregistered",
  Registering: "registering",
  Registered: "registered",
};
export const EVENT_NAME = {
  Error: "error",
  Incoming: "incoming",
  Destroyed: "destroyed",
  Unregistered: "unregistered",
  Registering: "registering",
  Registered: "registered",
  TokenWillExpire: "tokenWillExpire",
};

/** Dtmf0 … DtmfS, DtmfH, Incoming, Outgoing, Disconnect. */
const shown = (name) =>
  name.replace(/^dtmf(.)$/, (_, key) => `Dtmf${key.toUpperCase()}`).replace(/^[a-z]/, (letter) => letter.toUpperCase());
export const SOUND_NAME = Object.fromEntries(SOUNDS.map((name) => [shown(name), name]));
