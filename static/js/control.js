// What a person asks of a call: one POST with an id of our own; the answer is the command as it stands.

import { one } from "./dom.js";
import { gettext } from "./i18n.js";

/**
 * Ask; resolves to a command, or to one of our own making, `refused` before it was written down. What Twilio has no part
 * in (a mark, a note, an acknowledgement) is answered with its own noun, whose `type` says which.
 */
export async function ask(id, call, kind, fields = {}) {
  const form = one("#control");
  const failed = (text, code = "") => ({ type: "command", command: id, call, kind, state: "failed", refused: true, code, text });
  try {
    const answer = await post(form.action, { id, kind, ...fields });
    const body = await answer.json().catch(() => null);
    if (answer.ok && body) return { type: "command", ...body };
    return failed(body?.error?.text ?? gettext("This page is out of date. Reload it and try again."), body?.error?.code);
  } catch {
    return failed(gettext("There is no connection to the server. Nothing was done."), "offline");
  }
}

/** POST JSON with the secret of the page's form. */
export const post = (address, body) =>
  fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": one("#control [name=csrfmiddlewaretoken]").value },
    body: JSON.stringify(body),
  });

/** The id of a new command: a repeat with it is one command. */
export const newId = () => crypto.randomUUID?.() ?? fallbackId();

/** crypto.randomUUID is missing on plain http addresses other than localhost. */
function fallbackId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
