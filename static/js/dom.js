// Small hands for the page. Text goes in as text and never as markup.

export const one = (selector, root = document) => root.querySelector(selector);
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/** Set the text of an element if it changed; null leaves it empty. */
export function text(element, value) {
  const wanted = value ?? "";
  if (element.textContent !== wanted) element.textContent = wanted;
}

/** Set or remove a data attribute if it changed. */
export function mark(element, name, value) {
  if (value === null || value === undefined || value === "") delete element.dataset[name];
  else if (element.dataset[name] !== value) element.dataset[name] = value;
}

/** Show a symbol of the icon sheet in an <svg class="icon">. */
export function icon(svg, name) {
  const use = svg.firstElementChild;
  const href = `${document.documentElement.dataset.icons}#${name}`;
  if (use.getAttribute("href") !== href) use.setAttribute("href", href);
}

/** A new <svg class="icon"> with that symbol. */
export function newIcon(name) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(space, "use"));
  icon(svg, name);
  return svg;
}

/** A new element with a class and text. */
export function make(tag, className = "", content = "") {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (content) element.textContent = content;
  return element;
}

/** The value of a <script type="application/json"> by its id. */
export const data = (id) => JSON.parse(document.getElementById(id).textContent);

/** What this browser keeps for its user; null where it may not. */
export function kept(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // without storage the choice lasts as long as the page
  }
}
