// What the desk says: states, kinds of offers, and the phone's errors in words with a remedy.

import { gettext } from "../i18n.js";

export const ME = {
  offline: { word: gettext("Offline"), tone: "", icon: "none" },
  away: { word: gettext("Away"), tone: "warn", icon: "none" },
  ready: { word: gettext("Ready"), tone: "ok", icon: "talking" },
  ringing: { word: gettext("Ringing"), tone: "warn", icon: "ringing" },
  on_call: { word: gettext("On a call"), tone: "ok", icon: "talking" },
  wrapup: { word: gettext("Wrap-up"), tone: "warn", icon: "ended" },
};
export const REASONS = {
  break: gettext("Break"),
  lunch: gettext("Lunch"),
  meeting: gettext("Meeting"),
  training: gettext("Training"),
  paperwork: gettext("Paperwork"),
  missed: gettext("Missed"),
  declined: gettext("Declined"),
};
export const KINDS = {
  queue: gettext("Incoming call"),
  direct: gettext("A call for you"),
  resume: gettext("Your call is still there"),
  consult: gettext("A colleague asks you"),
  callback: gettext("Call back"),
  dial: gettext("Your call"),
};
export const ACCEPTS = { callback: gettext("Call now"), resume: gettext("Go on"), consult: gettext("Talk") };
export const PROGRESS = {
  "": gettext("Connecting your phone"),
  queued: gettext("Calling"),
  initiated: gettext("Calling"),
  ringing: gettext("Ringing there"),
  "in-progress": gettext("Answered"),
  busy: gettext("Busy"),
  "no-answer": gettext("No answer"),
  failed: gettext("Could not be reached"),
  canceled: gettext("Not called"),
  completed: gettext("Ended"),
};
export const VERIFIED = {
  yes: { word: gettext("Verified"), tone: "ok" },
  no: { word: gettext("Not verified"), tone: "bad" },
  unknown: { word: gettext("Nothing to verify with"), tone: "" },
  skipped: { word: gettext("Entered nothing to verify"), tone: "warn" },
};
export const CALLS = { answered: gettext("answered"), missed: gettext("not answered"), failed: gettext("failed") };
export const AGENTS = {
  ready: gettext("Ready"),
  away: gettext("Away"),
  offline: gettext("Offline"),
  ringing: gettext("Ringing"),
  on_call: gettext("On a call"),
  wrapup: gettext("Wrap-up"),
};
export const COMMANDS = {
  "call.end": gettext("The call could not be ended."),
  "call.hold": gettext("The caller could not be put on hold."),
  "call.resume": gettext("The caller could not be taken off hold."),
  "leg.mute": gettext("You could not be muted."),
  "leg.unmute": gettext("You could not be unmuted."),
  "agent.ring": gettext("The phone could not be rung."),
  "person.dial": gettext("The call could not be made."),
  "leg.end": gettext("A part of the call could not be ended."),
  "leg.remove": gettext("A part of the call could not be ended."),
};

export const PHONE = {
  off: gettext("Phone off"),
  starting: gettext("Phone connecting"),
  ready: gettext("Phone ready"),
  lost: gettext("Phone lost"),
  failed: gettext("Phone not ready"),
  talking: gettext("Phone: talking"),
  blocked: gettext("Microphone blocked"),
  telephone: gettext("Own telephone"),
};

export const BLOCKED = gettext(
  "The browser blocks the microphone for this page. Press the sign left of the address, set Microphone to Allow, and reload the page.",
);
export const NO_MICROPHONE = gettext(
  "This page is not secure (https), so the browser gives it no microphone. Use your own telephone, or ask an administrator.",
);

const TOKEN = gettext("The phone's pass was refused. Reload the page; if it stays so, an administrator checks TWILIO_API_KEY and TWILIO_API_SECRET.");
const LINE = gettext("The connection to Twilio broke. It is tried again by itself; check the network if it stays so.");
const ERRORS = {
  script: gettext("The phone's program did not load. Reload the page."),
  20101: TOKEN,
  20103: TOKEN,
  20104: gettext("The phone's pass has run out. Reload the page; check that this computer's clock is right."),
  20151: TOKEN,
  20157: TOKEN,
  31000: LINE,
  31002: gettext("Twilio declined the connection. Try again in a moment."),
  31003: gettext("Twilio did not answer in time. Check the network."),
  31005: LINE,
  31008: gettext("The caller was no longer there."),
  31009: gettext("There is no connection to Twilio. Check the network; a firewall may block it."),
  31105: gettext("Your voice identity holds signs that Twilio refuses. An administrator changes it: letters, digits and _ only."),
  31204: TOKEN,
  31205: gettext("The phone's pass has run out. Reload the page; check that this computer's clock is right."),
  31206: gettext("The phone was registered too often in a short time. Wait a minute, then try again."),
  31401: BLOCKED,
  31402: gettext("The microphone could not be opened. Is it plugged in, or in use by another program? Check the phone."),
  53000: LINE,
  53001: LINE,
  53405: gettext("No sound can be carried. A firewall may block UDP; ask who looks after the network."),
};

/** What an error means and what to do; `text` is what was said with it. */
export const phoneError = ({ code, text }) => ERRORS[code] ?? (text && !Number(code) ? text : gettext("The phone reported an error. Try again; reload the page if it stays so."));
