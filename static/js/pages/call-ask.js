// Dialogs that ask before something is done.

import { make, newIcon, one, text } from "../dom.js";

/** Show a dialog; resolves to "yes" or "cancel". */
export function answer(dialog) {
  dialog.returnValue = "cancel";
  one("[data-cancel]", dialog).onclick = () => dialog.close("cancel");
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true }));
}

/** Ask whether to do it, after saying what comes of it: lines [[icon, sentence]]. Resolves to true or false. */
export async function sure({ title, lines, yes, danger = false }) {
  const dialog = one("#ask-dialog");
  if (dialog.open) return false;
  text(one("[data-title]", dialog), title);
  one("[data-lines]", dialog).replaceChildren(...lines.map(lineOf));
  const button = one("[data-yes]", dialog);
  text(button, yes);
  button.className = danger ? "button danger filled" : "button primary";
  return (await answer(dialog)) === "yes";
}

function lineOf([icon, words]) {
  const item = make("li");
  item.append(newIcon(icon), make("span", "", words));
  return item;
}
