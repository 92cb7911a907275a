// Calling somebody: the number, whether it may be called, and which number they are shown.

import { make, mark, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { busy, fill } from "./desk-pieces.js";
import { Search } from "./desk-search.js";

const LEAST_DIGITS = 3;

export class Dial {
  constructor(desk) {
    this.desk = desk;
    this.panel = one("[data-dial]");
    this.form = one("[data-dial-form]", this.panel);
    this.verdict = one("[data-verdict]", this.panel);
    this.search = new Search(this.form.elements.to, (result, error) => this.found(result, error));
    this.form.addEventListener("submit", (event) => this.go(event));
  }

  /** A number that another page brought: judged like a typed one, with the focus on Call; never dialled by itself. */
  async bring(number) {
    if (!number) return;
    const { to } = this.form.elements;
    to.value = number;
    await this.search.look();
    const go = one("[data-dial-go]", this.panel);
    if ([document.body, to].includes(document.activeElement)) (go.disabled ? to : go).focus();
  }

  draw({ dial }) {
    this.panel.hidden = !dial.allowed;
    const select = this.form.elements.number;
    fill(select, dial.numbers, ({ number, label, e164 }) => Object.assign(make("option", "", `${label} ${e164}`), { value: String(number) }));
    const none = dial.allowed && !dial.numbers.length;
    if (none) this.say(gettext("No number of ours can be shown. Ask an administrator."), "warn");
    else if (this.none) this.say("", "");
    this.none = none;
  }

  found(result, error) {
    this.number = result?.number?.allowed ? result.number.key : null;
    const typed = this.form.elements.to.value.replace(/\D/g, "").length;
    if (error) this.say(error.text, "bad");
    else if (result?.number) this.say(result.number.text || result.number.shown, result.number.allowed ? "ok" : "bad");
    else if (result && typed >= LEAST_DIGITS) this.say(gettext("Write the number with its country: +31 20 123 4567."), "warn");
    else this.say("", "");
    one("[data-dial-go]", this.panel).disabled = !this.number || !this.form.elements.number.value;
  }

  say(words, tone) {
    text(this.verdict, words);
    mark(this.verdict, "tone", tone);
  }

  async go(event) {
    event.preventDefault();
    const button = one("[data-dial-go]", this.panel);
    if (!this.number || button.disabled) return;
    const fields = { to: this.number, number: Number(this.form.elements.number.value) };
    const failed = (error) => this.say(error.text, "bad");
    if (!(await busy(button, () => this.desk.callOut("dial", fields, failed)))) return;
    this.form.elements.to.value = "";
    this.found(null, null);
  }
}
