// After the call: what became of it, whether to call back, and Ready again.

import "../elements/cc-countdown.js";
import { make, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { busy, fill } from "./desk-pieces.js";

export class WrapUp {
  constructor(desk) {
    this.desk = desk;
    this.panel = one("[data-wrapup]");
    this.form = one("[data-wrapup-form]", this.panel);
    this.shown = null;
    this.form.addEventListener("submit", (event) => this.done(event));
    one("[data-extend]", this.panel).addEventListener("click", ({ currentTarget }) => busy(currentTarget, () => desk.act("wrapup.extend", { wrapup: this.shown, due_at: this.due })));
    document.addEventListener("keydown", (event) => this.key(event));
  }

  draw({ wrapup }) {
    this.panel.hidden = !wrapup;
    if (!wrapup) {
      this.shown = null;
      return;
    }
    text(one("[data-caller]", this.panel), wrapup.caller);
    this.due = wrapup.due_at;
    one("[data-due]", this.panel).run(this.due);
    if (wrapup.wrapup !== this.shown) this.begin(wrapup);
    this.required = wrapup.outcome_required;
    const { outcomes } = wrapup;
    one("[data-outcomes]", this.panel).hidden = !outcomes.length;
    text(one("[data-required]", this.panel), this.required ? "" : gettext("(if you wish)"));
    fill(one("[data-list]", this.panel), outcomes, choice);
  }

  begin({ wrapup }) {
    this.shown = wrapup;
    this.form.reset();
    one("details", this.form).open = false;
    this.wrong("");
  }

  key(event) {
    if (event.key !== "Enter" || !event.ctrlKey || event.repeat || this.panel.hidden || document.querySelector("dialog:modal")) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  wrong(words) {
    const place = one("[data-error]", this.form);
    place.hidden = !words;
    text(place, words);
  }

  async done(event) {
    event.preventDefault();
    const outcome = new FormData(this.form).get("outcome") ?? "";
    const { due, about } = this.form.elements;
    if (this.required && !outcome) {
      this.wrong(gettext("Choose what became of the call."));
      one("[name=outcome]", this.form)?.focus();
      return;
    }
    if (about.value.trim() && !due.value) {
      this.wrong(gettext("Say when to call back."));
      due.focus();
      return;
    }
    this.wrong("");
    const callback = due.value ? { due_at: new Date(due.value).toISOString(), note: about.value.trim() } : null;
    const fields = { wrapup: this.shown, outcome, callback };
    await this.desk.notes.save();
    await busy(one("[data-done]", this.form), () => this.desk.act("wrapup.done", fields, { failed: (error) => this.wrong(error.text) }));
  }
}

function choice(label) {
  const row = make("label", "choice");
  const radio = Object.assign(document.createElement("input"), { type: "radio", name: "outcome", value: label });
  row.append(radio, make("span", "", label));
  return row;
}
