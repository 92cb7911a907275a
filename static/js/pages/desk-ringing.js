// The call that is offered: who, from where, how long they waited, what is known, before it is answered.
//
// It is shown without taking the focus from a field in which somebody types; Alt+A and Alt+D work from everywhere.

import * as clock from "../clock.js";
import "../elements/cc-countdown.js";
import { one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { briefing } from "./desk-context.js";
import { busy } from "./desk-pieces.js";
import { ACCEPTS, KINDS } from "./desk-words.js";

const FIELDS = "input, textarea, select, [contenteditable]";

export class Ringing {
  /** `desk` has state, act(), phone and settled offers in `answered`. */
  constructor(desk) {
    this.desk = desk;
    this.box = one("[data-ringing]");
    this.shown = null;
    one("[data-accept]").addEventListener("click", () => this.accept());
    one("[data-decline]").addEventListener("click", () => this.decline());
    document.addEventListener("keydown", (event) => this.key(event), true);
    this.box.addEventListener("cancel", (event) => event.preventDefault());
  }

  /** The offer that rings, or null; what the agent began themselves does not ring. */
  offer({ offer }) {
    return offer?.state === "ringing" && offer.kind !== "dial" ? offer : null;
  }

  draw(state) {
    const offer = this.offer(state);
    if (!offer) {
      this.close();
      return;
    }
    const accepted = this.desk.answered.has(offer.offer);
    this.fillIn(state, offer, accepted);
    if (this.shown !== offer.offer) this.open(state, offer);
  }

  fillIn({ call, context, me }, offer, accepted) {
    const telephone = me.phone === "telephone" && offer.kind !== "callback";
    text(one("[data-kind]", this.box), KINDS[offer.kind] ?? KINDS.queue);
    text(one("[data-caller]", this.box), call?.caller ?? gettext("Unknown caller"));
    one("[data-until]", this.box).run(offer.until);
    this.second();
    const accept = one("[data-accept]", this.box);
    accept.hidden = telephone;
    accept.disabled = accepted;
    text(one("[data-word]", accept), accepted ? gettext("Connecting…") : (ACCEPTS[offer.kind] ?? gettext("Accept")));
    const how = telephone ? gettext("Answer on your own telephone %(number)s.", { number: me.telephone }) : this.trouble(offer);
    one("[data-how]", this.box).hidden = !how;
    text(one("[data-how]", this.box), how);
    if (context) this.brief(context);
  }

  brief(context) {
    const place = one("[data-context]", this.box);
    const said = JSON.stringify(context);
    if (place.said === said) return;
    place.said = said;
    place.replaceChildren(...briefing(context));
  }

  trouble(offer) {
    const { phone } = this.desk;
    if (offer.kind === "callback" || phone.ready) return "";
    return gettext("Your phone is not connected, so this call cannot reach it. It is being tried again.");
  }

  /** "Support, waiting 00:41 · moved from Sales": the wait ticks on from when it was told. */
  second() {
    const { offer, context, at } = this.desk.state;
    if (!offer || !context) return;
    const queue = context.queue;
    const waited = queue ? clock.duration(queue.waited_s * 1000 + Math.max(0, clock.now() - Date.parse(at))) : "";
    const parts = [queue ? gettext("%(queue)s, waiting %(time)s", { queue: queue.name, time: waited }) : "", offer.reason];
    text(one("[data-about]", this.box), parts.filter(Boolean).join(" · "));
  }

  open({ call }, offer) {
    this.shown = offer.offer;
    this.before = document.activeElement;
    this.box.setAttribute("open", ""); // show() would move the focus
    this.box.scrollTop = 0;
    text(one("[data-announce]"), gettext("%(what)s: %(caller)s. Alt A accepts, Alt D declines.", { what: KINDS[offer.kind] ?? KINDS.queue, caller: call?.caller ?? gettext("unknown caller") }));
    const first = one("[data-accept]", this.box).hidden ? one("[data-decline]", this.box) : one("[data-accept]", this.box);
    if (!document.activeElement?.matches(FIELDS) && !document.querySelector("dialog:modal")) first.focus();
  }

  close() {
    if (this.shown === null) return;
    const inside = this.box.contains(document.activeElement);
    this.shown = null;
    this.box.removeAttribute("open");
    text(one("[data-announce]"), "");
    if (inside) (this.before?.isConnected && this.before !== document.body ? this.before : one("#main")).focus();
  }

  key(event) {
    if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat || this.shown === null) return;
    if (event.code === "KeyA") this.accept();
    else if (event.code === "KeyD") this.decline();
    else return;
    event.preventDefault();
  }

  accept() {
    const offer = this.offer(this.desk.state);
    const button = one("[data-accept]", this.box);
    if (!offer || button.hidden || button.disabled) return;
    this.desk.answered.add(offer.offer);
    if (this.desk.state.me.phone === "browser") this.desk.phone.answer();
    if (offer.kind === "callback") busy(button, () => this.desk.act("accept", { offer: offer.offer })).then((done) => done || this.failed(offer));
    this.draw(this.desk.state);
  }

  failed(offer) {
    this.desk.answered.delete(offer.offer);
    this.desk.phone.forget();
    this.draw(this.desk.state);
  }

  decline() {
    const offer = this.offer(this.desk.state);
    if (!offer) return;
    this.desk.phone.forget();
    busy(one("[data-decline]", this.box), () => this.desk.act("decline", { offer: offer.offer }));
  }
}
