// The caller as we know them: the contact, and the last calls of the same person.

import { duration } from "../clock.js";
import { make, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { factLine, fill, moment } from "./desk-pieces.js";

const ENDED = { answered: gettext("answered"), missed: gettext("not answered"), failed: gettext("failed") };
const WITHHELD = /^(|anonymous|restricted|unknown|unavailable|withheld)$/i;

export class Caller {
  constructor(state, id) {
    this.state = state;
    this.id = id;
  }

  draw() {
    const call = this.state.calls.get(this.id);
    const { calls = [], contact = this.state.contact ?? null } = this.state.history ?? {};
    this.contact(contact, call);
    this.wish(call.facts ?? {});
    const past = calls.filter((one) => one.call !== this.id);
    fill(one("[data-history]"), past, pastCall);
    const none = one("[data-no-history]");
    none.hidden = past.length > 0;
    const withheld = WITHHELD.test(call.caller_number ?? "");
    text(none, withheld ? gettext("The number is withheld: earlier calls are not known.") : gettext("First call from this number."));
  }

  contact(contact, call) {
    const place = one("[data-contact]");
    fill(place, [contact ?? { name: "", number: call.caller_number }], (who) => (contact ? plate(who) : make("p", "sub", gettext("No contact is kept under this number."))));
  }

  /** Why they were handed over, and what they have said or keyed of their wish. */
  wish({ reason = "", ...facts }) {
    const entries = Object.entries(facts);
    one("[data-wish]").hidden = !reason && !entries.length;
    text(one("[data-reason]"), reason);
    one("[data-reason]").hidden = !reason;
    fill(one("[data-entered]"), entries, factLine);
  }
}

function plate({ name, company, tags, note }) {
  const box = make("div", "nameplate");
  box.append(make("strong", "", name));
  if (company) box.append(make("bdi", "sub", company));
  const list = make("p", "marks");
  for (const tag of [tags ?? []].flat()) list.append(make("bdi", "tag", tag));
  if (list.childElementCount) box.append(list);
  if (note) box.append(make("bdi", "row-note", note));
  return box;
}

/** One earlier call, as a link to it. */
function pastCall(call) {
  const item = make("li");
  const head = make("p", "row-head");
  const link = make("a", "", moment(call.started_at));
  link.href = `/calls/${call.call}/`;
  const about = [ENDED[call.outcome] ?? call.outcome, call.queue, call.agent, call.label ?? call.number].filter(Boolean).join(" · ");
  head.append(link, make("bdi", "", about), make("span", "sub", call.seconds ? duration(call.seconds * 1000) : ""));
  item.append(head);
  return item;
}
