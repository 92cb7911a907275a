// Single keys: they act only when no field has the focus, and can be switched off (WCAG 2.1.4).

import { all, keep, kept, one } from "./dom.js";

const actions = new Map();
let leader = 0;

/** Let a key do something; a key after `g` is written "g l". */
export function onKey(key, action) {
  actions.set(key, action);
}

export const keysOn = () => kept("keys") !== "off";

function isTyping(target) {
  return target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable], dialog[open]") !== null;
}

/** Space and Enter belong to what has the focus, if it does something by itself. */
function isItsOwn(event) {
  return [" ", "Enter"].includes(event.key) && event.target.closest?.("button, a[href], summary, [role=slider], [role=button]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.repeat || !keysOn()) return;
  if (isTyping(event.target) || isItsOwn(event)) return;
  const name = Date.now() - leader < 1200 ? `g ${event.key}` : event.key;
  leader = event.key === "g" ? Date.now() : 0;
  const action = actions.get(name) ?? actions.get(event.key);
  if (!action) return;
  event.preventDefault();
  action();
});

/** Move the focus by `step` among the elements of a selector. */
export function moveFocus(selector, step) {
  const stops = all(selector).filter((element) => element.offsetParent !== null);
  if (!stops.length) return;
  const at = stops.findIndex((stop) => stop === document.activeElement || stop.parentElement === document.activeElement);
  const next = at < 0 ? (step > 0 ? 0 : stops.length - 1) : Math.max(0, Math.min(stops.length - 1, at + step));
  stops[next].focus();
  stops[next].scrollIntoView({ block: "nearest" });
}

/** The list of keys, and the switch in it. */
export function keyList() {
  const dialog = one("#keys");
  const box = one("[data-keys-on]", dialog);
  box.checked = keysOn();
  box.addEventListener("change", () => keep("keys", box.checked ? "on" : "off"));
  const open = () => dialog.showModal();
  for (const button of all("[data-keys-open]")) button.addEventListener("click", open);
  onKey("?", open);
}
