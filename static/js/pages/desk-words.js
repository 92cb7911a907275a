// What the desk says: states, kinds of offers, and the phone's errors in words with a remedy.

export const ME = {
  offline: { word: "Offline", tone: "", icon: "none" },
  away: { word: "Away", tone: "warn", icon: "none" },
  ready: { word: "Ready", tone: "ok", icon: "talking" },
  ringing: { word: "Ringing", tone: "warn", icon: "ringing" },
  on_call: { word: "On a call", tone: "ok", icon: "talking" },
  wrapup: { word: "Wrap-up", tone: "warn", icon: "ended" },
};
export const REASONS = {
  break: "Break",
  lunch: "Lunch",
  meeting: "Meeting",
  training: "Training",
  paperwork: "Paperwork",
  missed: "Missed",
  declined: "Declined",
};
export const KINDS = {
  queue: "Incoming call",
  direct: "A call for you",
  resume: "Your call is still there",
  consult: "A colleague asks you",
  callback: "Call back",
  dial: "Your call",
};
export const ACCEPTS = { callback: "Call now", resume: "Go on", consult: "Talk" };
export const PROGRESS = {
  "": "Connecting your phone",
  queued: "Calling",
  initiated: "Calling",
  ringing: "Ringing there",
  "in-progress": "Answered",
  busy: "Busy",
  "no-answer": "No answer",
  failed: "Could not be reached",
  canceled: "Not called",
  completed: "Ended",
};
export const VERIFIED = {
  yes: { word: "Verified", tone: "ok" },
  no: { word: "Not verified", tone: "bad" },
  unknown: { word: "Nothing to verify with", tone: "" },
  skipped: { word: "Entered nothing to verify", tone: "warn" },
};
export const CALLS = { answered: "answered", missed: "not answered", failed: "failed" };
export const AGENTS = {
  ready: "Ready",
  away: "Away",
  offline: "Offline",
  ringing: "Ringing",
  on_call: "On a call",
  wrapup: "Wrap-up",
};
export const COMMANDS = {
  "call.end": "The call could not be ended.",
  "call.hold": "The caller could not be put on hold.",
  "call.resume": "The caller could not be taken off hold.",
  "leg.mute": "You could not be muted.",
  "leg.unmute": "You could not be unmuted.",
  "agent.ring": "The phone could not be rung.",
  "person.dial": "The call could not be made.",
  "leg.end": "A part of the call could not be ended.",
  "leg.remove": "A part of the call could not be ended.",
};

export const PHONE = {
  off: "Phone off",
  starting: "Phone connecting",
  ready: "Phone ready",
  lost: "Phone lost",
  failed: "Phone not ready",
  talking: "Phone: talking",
  blocked: "Microphone blocked",
  telephone: "Own telephone",
};

export const BLOCKED =
  "The browser blocks the microphone for this page. Press the sign left of the address, set Microphone to Allow, and reload the page.";
export const NO_MICROPHONE =
  "This page is not secure (https), so the browser gives it no microphone. Use your own telephone, or ask an administrator.";

const TOKEN = "The phone's pass was refused. Reload the page; if it stays so, an administrator checks TWILIO_API_KEY and TWILIO_API_SECRET.";
const LINE = "The connection to Twilio broke. It is tried again by itself; check the network if it stays so.";
const ERRORS = {
  script: "The phone's program did not load. Reload the page.",
  20101: TOKEN,
  20103: TOKEN,
  20104: "The phone's pass has run out. Reload the page; check that this computer's clock is right.",
  20151: TOKEN,
  20157: TOKEN,
  31000: LINE,
  31002: "Twilio declined the connection. Try again in a moment.",
  31003: "Twilio did not answer in time. Check the network.",
  31005: LINE,
  31008: "The caller was no longer there.",
  31009: "There is no connection to Twilio. Check the network; a firewall may block it.",
  31105: "Your voice identity holds signs that Twilio refuses. An administrator changes it: letters, digits and _ only.",
  31204: TOKEN,
  31205: "The phone's pass has run out. Reload the page; check that this computer's clock is right.",
  31206: "The phone was registered too often in a short time. Wait a minute, then try again.",
  31401: BLOCKED,
  31402: "The microphone could not be opened. Is it plugged in, or in use by another program? Check the phone.",
  53000: LINE,
  53001: LINE,
  53405: "No sound can be carried. A firewall may block UDP; ask who looks after the network.",
};

/** What an error means and what to do; `text` is what was said with it. */
export const phoneError = ({ code, text }) => ERRORS[code] ?? (text && !Number(code) ? text : "The phone reported an error. Try again; reload the page if it stays so.");
