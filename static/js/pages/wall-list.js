// A list on the page that follows a list of things: one element for each key, in the same order.

/** Keep `parent`'s children as `items`: `make(item)` gives a new element, `show(element, item)` its content. */
export function keep(parent, items, { key, make, show }) {
  const old = new Map([...parent.children].map((element) => [element.dataset.key, element]));
  let before = null;
  for (const item of items) {
    const name = String(key(item));
    const element = old.get(name) ?? make(item);
    element.dataset.key = name;
    old.delete(name);
    show(element, item);
    before = placeAfter(parent, element, before);
  }
  for (const element of old.values()) element.remove();
}

/** Put `element` behind `before` (null: first) if it does not stand there; returns it. */
export function placeAfter(parent, element, before) {
  const there = before ? before.nextSibling : parent.firstChild;
  if (element !== there || element.parentNode !== parent) parent.insertBefore(element, there);
  return element;
}

/** A new element of a <template>, by its id; its custom elements work before it is in the page. */
export const fromTemplate = (id) => document.importNode(document.getElementById(id).content, true).firstElementChild;

/**
 * Whether somebody is in a list, so that nothing in it may move: the focus in it or on the button that shows what waits,
 * the pointer in its panel, on the way to that button.
 */
export const isHeld = (list, panel, button) =>
  list.matches(":focus-within") || button === document.activeElement || (canHover.matches && panel.matches(":hover"));

/** Call `left` when pointer or focus leave the panel of a list. */
export function whenLeft(panel, left) {
  for (const kind of ["pointerleave", "focusout"]) panel.addEventListener(kind, () => queueMicrotask(left));
}

const canHover = matchMedia("(hover: hover)");
