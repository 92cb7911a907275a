// Before the first paint: the theme that was chosen, by the same name that Django's admin keeps it under.
{
  let theme = "auto";
  try {
    theme = localStorage.getItem("theme") || "auto";
  } catch {
    // no storage: follow the system
  }
  document.documentElement.dataset.theme = theme;
}
