// The reader's words for what scripts say. English readers are served no catalogue: the texts are English as they are.

const catalogue = globalThis.django ?? {};

export const gettext = catalogue.gettext ?? ((text) => text);
export const ngettext = catalogue.ngettext ?? ((one, many, count) => (count === 1 ? one : many));
const pgettext = catalogue.pgettext ?? ((context, text) => text);

const TERMS = {
  release: pgettext("outcome", "release"),
  redact: pgettext("outcome", "redact"),
  replace: pgettext("outcome", "replace"),
  block: pgettext("outcome", "block"),
  unknown: pgettext("severity", "unknown"),
  none: pgettext("severity", "none"),
  low: pgettext("severity", "low"),
  medium: pgettext("severity", "medium"),
  high: pgettext("severity", "high"),
  critical: pgettext("severity", "critical"),
};

/** Return the word for a stored outcome or severity. */
export function term(value) {
  return TERMS[value] ?? value;
}

/** Put values where a text has %(name)s. */
export function fill(text, values) {
  return text.replace(/%\((\w+)\)s/g, (place, name) => values[name] ?? place);
}
