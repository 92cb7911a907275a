// What every page has: theme, keyboard.

import { all, icon, keep, kept, one, text } from "../dom.js";
import { gettext } from "../i18n.js";
import { keyList, onKey } from "../keys.js";

// What is chosen first is what the system does not show: a click that changes nothing looks like a broken button.
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
const THEMES = dark
  ? {
      auto: { icon: "auto", word: gettext("Theme: as the system. Change to light") },
      light: { icon: "sun", word: gettext("Theme: light. Change to dark") },
      dark: { icon: "moon", word: gettext("Theme: dark. Change to as the system") },
    }
  : {
      auto: { icon: "auto", word: gettext("Theme: as the system. Change to dark") },
      dark: { icon: "moon", word: gettext("Theme: dark. Change to light") },
      light: { icon: "sun", word: gettext("Theme: light. Change to as the system") },
    };
const order = Object.keys(THEMES);

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  for (const button of all("[data-theme-toggle]")) {
    icon(one("svg", button), THEMES[theme].icon);
    text(one("[data-theme-word]", button), THEMES[theme].word);
    button.title = THEMES[theme].word;
  }
}

let theme = order.includes(kept("theme")) ? kept("theme") : "auto";
showTheme(theme);
for (const button of all("[data-theme-toggle]")) {
  button.addEventListener("click", () => {
    theme = order[(order.indexOf(theme) + 1) % order.length];
    keep("theme", theme);
    showTheme(theme);
  });
}

keyList();
for (const [key, address] of [["g d", "/desk/"], ["g l", "/live/"], ["g c", "/calls/"]]) {
  onKey(key, () => location.assign(address));
}
onKey("/", () => one("[data-search]")?.focus());
