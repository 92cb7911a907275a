// The console: it asks the emulator once a second what is going on, and posts what is pressed.
// What callers are and say goes in as text and never as markup.

const EVERY_MS = 1000;
const SELDOM = 5;
const KEYS = [..."123456789*0#"];
const one = (selector, root = document) => root.querySelector(selector);
const KINDS = { boolean: "checkbox", number: "number", string: "text" };
const calls = new Map();
const faults = new Map();
let seen = null;
let heardAt = null;

// asking

async function ask(path, body) {
  const request = body === undefined ? {} : { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const answer = await fetch(`/emulator/${path}`, request);
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error ?? `The emulator answered ${answer.status}`);
  return value;
}

/** Do something for an element; what goes wrong is said in the output beside it. */
async function attempt(element, work) {
  const output = one('output[role="alert"]', element.closest(".call, section"));
  try {
    if (output) output.value = "";
    await work();
    await look();
  } catch (error) {
    if (output) output.value = error instanceof TypeError ? "The emulator does not answer." : error.message;
  }
}

/** The same, with the button disabled until it is done. */
async function act(within, work) {
  const pressed = within.matches("button") ? within : one("button:not([type])", within);
  const had = document.activeElement === pressed;
  if (pressed) pressed.disabled = true;
  await attempt(within, work);
  if (!pressed) return;
  pressed.disabled = false;
  // A button that is disabled loses the focus; whoever works by keyboard gets it back.
  if (had && document.activeElement === document.body) pressed.focus();
}

// small hands

function text(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

function make(tag, value = "", name = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.textContent = value;
  return element;
}

function button(label, work, name = "") {
  const made = make("button", label, name);
  made.type = "button";
  made.addEventListener("click", () => act(made, work));
  return made;
}

function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return (parts[0] ? parts : parts.slice(1)).map((part) => String(part).padStart(2, "0")).join(":");
}

/** Bring the children of a list in line with rows: `key(row)` tells them apart, `made(row)` makes, `show` updates. */
function keep(list, known, rows, key, made, show) {
  const wanted = new Set(rows.map(key));
  for (const [id, element] of known) {
    if (wanted.has(id)) continue;
    element.remove();
    known.delete(id);
  }
  rows.forEach((row, at) => {
    if (!known.has(key(row))) known.set(key(row), made(row));
    const element = known.get(key(row));
    if (list.children[at] !== element) list.insertBefore(element, list.children[at] ?? null);
    show(element, row);
  });
}

// live calls

/** Calls with the legs that they dialled under them, and those with theirs. */
function inOrder(rows) {
  const known = new Set(rows.map((row) => row.sid));
  const withItsOwn = (row) => [row, ...rows.filter(({ parent }) => parent === row.sid).flatMap(withItsOwn)];
  return rows.filter((row) => !known.has(row.parent)).flatMap(withItsOwn);
}

function newCall({ sid }) {
  const element = one("#call-shape").content.firstElementChild.cloneNode(true);
  const pad = one(".pad", element);
  pad.append(...KEYS.map((key) => Object.assign(make("button", key), { type: "button" })));
  // One request after the other: keys arrive in the order in which they were pressed.
  let turn = Promise.resolve();
  pad.addEventListener("click", ({ target }) => {
    if (target === pad) return;
    turn = turn.then(() => attempt(pad, () => ask(`calls/${sid}/press/`, { digits: target.textContent })));
  });
  one(".keys", element).addEventListener("click", ({ currentTarget }) => {
    pad.hidden = !pad.hidden;
    currentTarget.setAttribute("aria-expanded", String(!pad.hidden));
    if (!pad.hidden) pad.firstElementChild.focus();
  });
  pad.addEventListener("keydown", (event) => {
    const key = KEYS.indexOf(event.key);
    if (key < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    pad.children[key].focus();
    pad.children[key].click();
  });
  const down = one(".down", element);
  down.addEventListener("click", () => act(down, () => ask(`calls/${sid}/hangup/`, {})));
  return element;
}

function showCall(element, row) {
  const since = (new Date(seen.at) - new Date(row.started ?? row.created)) / 1000;
  const badge = one(".badge", element);
  badge.dataset.status = row.status;
  text(badge, row.status);
  text(one(".from", element), row.from);
  text(one(".to", element), row.to || "–");
  text(one(".facts", element), [clock(since), row.direction, row.script, row.sid].filter(Boolean).join(" · "));
  element.classList.toggle("child", Boolean(row.parent));
  const known = (element.streams ??= new Map());
  keep(one(".streams", element), known, row.streams, (stream) => stream.sid, newStream, () => {});
}

function newStream({ sid, name, direction, tracks }) {
  const element = make("li", `Stream ${name}, ${direction}, ${tracks.join(" and ")}`);
  element.append(
    button("Drop", () => ask("faults/", { drop_stream: sid })),
    button("Sever", () => ask("faults/", { sever: sid })),
  );
  return element;
}

// the log

function showLines() {
  const kind = one("#kind").value;
  const lines = seen.lines.filter((line) => !kind || line.kind === kind);
  one("#no-lines").hidden = lines.length > 0;
  text(one("#no-lines"), kind ? "Nothing of this kind yet." : "Nothing has happened yet.");
  one("#lines").replaceChildren(...lines.map(newLine));
}

function newLine({ at, kind, call, text: words, bad }) {
  const element = make("li");
  const time = make("time", at.slice(11, 23));
  time.dateTime = at;
  element.append(time, make("span", kind, "kind"), make("span", words, bad ? "words bad" : "words"), make("span", call ? `${call.slice(0, 8)}…` : "", "of"));
  element.lastElementChild.title = call;
  return element;
}

// scripts, people, faults

async function showScripts() {
  const { scripts } = await ask("scripts/");
  const option = ({ name, title }) => new Option(title ? `${name}: ${title}` : name, name);
  const [rotation] = one("#place select").options;
  one("#place select").replaceChildren(rotation, ...scripts.map(option));
  one("#put select").replaceChildren(...scripts.map(option));
}

function showPeople({ people }) {
  const rows = Object.entries(people);
  one("#no-people").hidden = rows.length > 0;
  one("#people").replaceChildren(...rows.map(([to, script]) => {
    const element = make("li", `${to}: ${script}`);
    const remove = button("Remove", async () => showPeople(await ask("people/", { to, script: null })));
    remove.setAttribute("aria-label", `Remove ${script} from ${to}`);
    element.append(remove);
    return element;
  }));
}

function showFaults(given) {
  const rows = Object.entries(given).filter(([, value]) => typeof value in KINDS);
  keep(one("#faults"), faults, rows, ([name]) => name, newFault, showFault);
  const others = Object.entries(given).filter(([, value]) => !(typeof value in KINDS) && Object.keys(value).length);
  one("#others").replaceChildren(...others.map(([name, value]) => make("code", `${name}: ${JSON.stringify(value)}`)));
}

/** A switch by the kind of its value: yes or no, a number, a text. */
function newFault([name, value]) {
  const label = make("label");
  const words = name.replaceAll("_", " ");
  const input = Object.assign(document.createElement("input"), { name, type: KINDS[typeof value] });
  if (input.type === "number") input.step = "any";
  input.addEventListener("change", () => act(input, () => setFault(input)));
  label.append(...(input.type === "checkbox" ? [input, words] : [words, input]));
  return label;
}

/** What is being typed is left alone. */
function showFault(label, [, value]) {
  const input = one("input", label);
  if (input.type === "checkbox") input.checked = value;
  else if (input !== document.activeElement) input.value = value;
}

async function setFault(input) {
  const value = { checkbox: input.checked, number: input.valueAsNumber, text: input.value }[input.type];
  if (Number.isNaN(value)) throw new Error(`${input.name} takes a number`);
  showFaults(await ask("faults/", { [input.name]: value }));
}

// the whole

function show() {
  text(one("#target"), seen.target);
  text(one("#count"), seen.live ? `(${seen.live}${seen.live > seen.calls.length ? `, ${seen.calls.length} shown` : ""})` : "");
  one("#no-calls").hidden = seen.live > 0;
  text(one("#no-calls"), "No calls right now. Place one.");
  keep(one("#calls"), calls, inOrder(seen.calls), (row) => row.sid, newCall, showCall);
  const numbers = one("#numbers");
  if (numbers.children.length !== seen.numbers.length) numbers.replaceChildren(...seen.numbers.map((number) => new Option(number)));
  const to = one("#place").elements.to;
  if (!to.value && !to.touched && seen.numbers.length) [to.value, to.touched] = [seen.numbers[0], true];
  if (one("#follow").checked) showLines();
}

async function look() {
  const [state, health] = await Promise.all([ask("console/"), ask("")]);
  seen = state;
  heardAt = Date.now();
  document.body.classList.remove("stale");
  one("#gone").hidden = true;
  one("#health").dataset.tone = "ok";
  text(one("#health"), `Running, sound late by ${health.late_p99_ms} ms (p99), seed ${health.seed}`);
  show();
}

function gone() {
  document.body.classList.add("stale");
  one("#health").dataset.tone = "bad";
  text(one("#health"), "Not running");
  const age = heardAt === null ? "" : ` Showing what was known ${clock((Date.now() - heardAt) / 1000)} ago.`;
  text(one("#gone"), `The emulator does not answer.${age} Trying again every second.`);
  one("#gone").hidden = false;
}

/** What changes seldom, and not only by this page. */
async function lookAround() {
  await Promise.all([ask("people/").then(showPeople), ask("faults/").then(showFaults)]);
}

async function follow() {
  let scripts = false;
  for (let round = 0; ; round += 1) {
    try {
      await look();
      if (!scripts) await showScripts();
      scripts = true;
      if (round % SELDOM === 0) await lookAround();
    } catch {
      round = -1;
      gone();
    }
    await new Promise((resolve) => { setTimeout(resolve, EVERY_MS); });
  }
}

one("#place").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  act(form, () => ask("calls/", Object.fromEntries(new FormData(form))));
});
one("#put").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.currentTarget;
  act(form, async () => {
    showPeople(await ask("people/", Object.fromEntries(new FormData(form))));
    form.elements.to.value = "";
  });
});
one("#faults").addEventListener("submit", (event) => event.preventDefault());
one("#reset").addEventListener("click", ({ currentTarget }) => {
  act(currentTarget, async () => showFaults(await ask("faults/", { reset: true })));
});
one("#kind").addEventListener("change", () => seen && showLines());
one("#follow").addEventListener("change", () => seen && show());
follow();
