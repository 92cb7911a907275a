// What the page says of each thing that was asked: when it was asked, when it was done, when it was refused.

import { gettext } from "../i18n.js";

const leave = {
  asked: gettext("Leaving the call…"),
  failed: (text) => gettext("You could not be taken out of the call: %(text)s", { text }),
};
const transfer = {
  asked: gettext("Transferring…"),
  done: gettext("The caller was sent on."),
  failed: (text) => gettext("The call was not transferred: %(text)s", { text }),
};

export const SAID = {
  "stream.start": {
    asked: gettext("Starting the stream…"),
    done: gettext("Twilio has started the stream."),
    failed: (text) => gettext("The stream was not started: %(text)s", { text }),
  },
  "stream.stop": {
    asked: gettext("Stopping the stream…"),
    done: gettext("Twilio has stopped the stream."),
    failed: (text) => gettext("The stream was not stopped: %(text)s", { text }),
  },
  "call.coach": { failed: (text) => gettext("You do not coach: %(text)s", { text }) },
  "call.join": { failed: (text) => gettext("You did not join the call: %(text)s", { text }) },
  "call.takeover": { failed: (text) => gettext("You did not take the call over: %(text)s", { text }) },
  "call.leave": leave,
  "leg.end": leave,
  "call.transfer": transfer,
  "call.redirect": transfer,
  "call.end": {
    asked: gettext("Ending the call…"),
    done: gettext("Twilio has ended the call."),
    failed: (text) => gettext("The call was not ended: %(text)s", { text }),
  },
  moment: { failed: (text) => gettext("The moment was not marked: %(text)s", { text }) },
  "alert.acknowledge": { failed: (text) => gettext("The alert was not acknowledged: %(text)s", { text }) },
  "help.done": { failed: (text) => gettext("The call for help stands: %(text)s", { text }) },
  "words.stop": {
    asked: gettext("Stopping the transcription…"),
    failed: (text) => gettext("The transcription goes on: %(text)s", { text }),
  },
  "words.start": {
    asked: gettext("Starting the transcription…"),
    failed: (text) => gettext("The transcription was not started: %(text)s", { text }),
  },
};

/** Kinds whose being done the page shows elsewhere. */
export const OF_NOUNS = new Set(["call.coach", "call.join", "call.takeover", "call.leave", "leg.end", "moment", "alert.acknowledge", "help.done"]);
