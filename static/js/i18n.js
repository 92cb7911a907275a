// The words of the pages, in the language of the site (Django's JavaScriptCatalog, loaded before every module).
const django = globalThis.django;
const fill = (text, values) => text.replaceAll(/%\((\w+)\)s/g, (whole, name) => values[name] ?? whole);
/** A sentence in the site's language; `%(name)s` in it is filled from `values`. */
export const gettext = (text, values = {}) => fill(django?.gettext?.(text) ?? text, values);
/** One or many; `%(n)s` is the number. */
export const ngettext = (one, many, n, values = {}) => fill(django?.ngettext?.(one, many, n) ?? (n === 1 ? one : many), { n, ...values });
