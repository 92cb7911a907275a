// Beside the call: who calls, open matters, earlier calls, promised callbacks.

import { make, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { nameplate } from "./desk-context.js";
import { busy, callbackRow, factLine, fill, moment, pastCall, pastEmpty, smallButton } from "./desk-pieces.js";

export class Side {
  constructor(desk) {
    this.desk = desk;
    this.side = one(".desk-side");
    this.dialog = one("#contact-dialog");
    this.form = one("[data-contact-form]", this.dialog);
    one("[data-edit-contact]").addEventListener("click", () => this.edit());
    one("[data-cancel]", this.dialog).addEventListener("click", () => this.dialog.close());
    this.form.addEventListener("submit", (event) => this.save(event));
    one("[data-new-matter]").addEventListener("submit", (event) => this.openMatter(event));
  }

  draw(call, context) {
    this.call = call;
    this.context = context;
    for (const name of ["contact", "matters", "past"]) this.part(name).hidden = !context;
    this.part("promised").hidden = !context?.callbacks?.length;
    const wish = Object.entries(context?.entered ?? {});
    this.part("wish").hidden = !context?.reason && !wish.length;
    if (!context) return;
    const reason = one("[data-reason]", this.part("wish"));
    text(reason, context.reason ?? "");
    reason.hidden = !context.reason;
    fill(this.list("wish"), wish, factLine);
    const { contact, caller } = context;
    this.who(context);
    text(one("[data-edit-contact]"), contact ? gettext("Edit") : gettext("Save as contact"));
    one("[data-edit-contact]").hidden = !contact && caller?.withheld;
    one("[data-no-contact]").hidden = Boolean(contact);
    one("[data-new-matter]").hidden = !contact;
    fill(this.list("matters"), context.matters ?? [], (matter) => this.matter(matter));
    fill(this.list("past"), context.calls ?? [], pastCall);
    one("[data-empty]", this.part("past")).hidden = Boolean(context.calls?.length);
    text(one("[data-empty]", this.part("past")), pastEmpty(context));
    fill(this.list("promised"), context.callbacks ?? [], (one) => callbackRow(one, { who: false, act: (button) => this.cancel(button, one) }));
  }

  part(name) {
    return one(`[data-${name}]`, this.side);
  }

  list(name) {
    return one("[data-list]", this.part(name));
  }

  who(context) {
    const place = one("[data-who]", this.side);
    const said = JSON.stringify([context.contact, context.caller, context.verified, context.voicemails]);
    if (place.said === said) return;
    place.said = said;
    place.replaceChildren(nameplate(context));
  }

  matter({ matter, text: words, opened_at: at }) {
    const item = make("li");
    const head = make("p", "row-head");
    const close = (button) => busy(button, () => this.desk.act("matter.close", { matter }));
    head.append(make("bdi", "", words), make("span", "sub", gettext("since %(time)s", { time: moment(at) })), smallButton(gettext("Settled"), close, words));
    item.append(head);
    return item;
  }

  async openMatter(event) {
    event.preventDefault();
    const field = event.target.elements.text;
    const words = field.value.trim();
    if (!words || !this.context?.contact) return;
    const fields = { contact: this.context.contact.contact, text: words };
    if (await busy(one("button", event.target), () => this.desk.act("matter.open", fields))) field.value = "";
  }

  cancel(button, { callback }) {
    busy(button, () => this.desk.act("callback.cancel", { callback }));
  }

  edit() {
    const { contact, caller } = this.context;
    const values = contact ?? { name: "", company: "", e164: caller?.number ?? "", tags: [], note: "" };
    for (const name of ["name", "company", "e164", "note"]) this.form.elements[name].value = values[name] ?? "";
    this.form.elements.tags.value = (values.tags ?? []).join(", ");
    one("[data-error]", this.dialog).hidden = true;
    this.dialog.showModal();
    this.form.elements.name.focus();
  }

  async save(event) {
    event.preventDefault();
    const wrong = one("[data-error]", this.dialog);
    const failed = (error) => {
      wrong.hidden = false;
      text(wrong, error.text);
    };
    const value = (name) => this.form.elements[name].value.trim();
    const fields = {
      contact: this.context.contact?.contact ?? null,
      call: this.call,
      name: value("name"),
      company: value("company"),
      e164: value("e164").replace(/[\s().-]/g, ""),
      tags: value("tags"),
      note: value("note"),
    };
    if (await busy(one("button.primary", this.dialog), () => this.desk.act("contact.save", fields, { failed }))) this.dialog.close();
  }
}
