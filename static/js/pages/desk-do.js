// What the agent asks of the server: POSTs with an id of our own, searches, tokens.

import { newId } from "../control.js";
import { one } from "../dom.js";
import { gettext } from "../i18n.js";

const OUTDATED = gettext("This page is out of date. Reload it and try again.");
export const NO_LINE = gettext("There is no connection to the server. Nothing was done.");

/** Ask for `kind`; resolves to {desk, command}, rejects with {code, text}. */
export const ask = (kind, fields = {}) => post("/desk/do/", { id: newId(), do: kind, ...fields });

/** A token for the phone; rejects with {code, text}. */
export const token = () => post("/desk/token/", {});

/** {agents, queues, number} for a few letters or digits; rejects with {code, text}. */
export async function search(words) {
  return read(() => fetch(`/desk/search/?q=${encodeURIComponent(words)}`, { headers: { Accept: "application/json" } }));
}

function post(address, body) {
  const secret = one("[name=csrfmiddlewaretoken]", one("#desk-form")).value;
  return read(() =>
    fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": secret },
      body: JSON.stringify(body),
    }),
  );
}

async function read(request) {
  let answer;
  try {
    answer = await request();
  } catch {
    throw { code: "offline", text: NO_LINE };
  }
  const body = await answer.json().catch(() => null);
  if (answer.ok && body) return body;
  throw { code: body?.error?.code ?? String(answer.status), text: body?.error?.text ?? OUTDATED };
}
