// What a person asks of a call: one POST with an id of our own; the answer is the command as it stands.

import { one } from "./dom.js";

/** Ask; resolves to a command, or to one of our own making that failed before it was written down. */
export async function ask(id, call, kind, fields = {}) {
  const form = one("#control");
  const failed = (text) => ({ type: "command", command: id, call, kind, state: "failed", code: "", text, created_at: new Date().toISOString() });
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": one("[name=csrfmiddlewaretoken]", form).value },
      body: JSON.stringify({ id, kind, ...fields }),
    });
    const body = await answer.json().catch(() => null);
    if (answer.ok && body) return { type: "command", ...body };
    return failed(body?.error?.text ?? "This page is out of date. Reload it and try again.");
  } catch {
    return failed("There is no connection to the server. Nothing was done.");
  }
}

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
