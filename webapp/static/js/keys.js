// Which key presses are commands. Typing, dialogs, modifiers and input methods are left alone.

const TYPING = "input:not([type=radio]):not([type=checkbox]):not([type=hidden]), textarea, select, [contenteditable]";

/** Return the name of the key that was pressed, as the reviewer's choice of keys has it. */
export function nameOf(event) {
  if (event.key === " ") return "Space";
  return event.key.length === 1 ? event.key.toLowerCase() : event.key;
}

/** Whether the event is Ctrl+Enter or ⌘+Enter, which submits even from inside a text. */
export function isSubmitChord(event) {
  return event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.isComposing && !event.repeat;
}

/** Whether the event belongs to what is being typed or to the browser, and not to the console. */
export function isTaken(event) {
  if (event.defaultPrevented || event.isComposing || event.keyCode === 229) return true;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  if (document.querySelector("dialog[open]")) return true;
  return event.target instanceof Element && event.target.closest(TYPING) !== null;
}

/** Whether Enter and Space on the target already mean something: follow a link, press a button, open details. */
export function isControl(target) {
  return target instanceof Element && target.closest("button, a[href], summary, [role=tab]") !== null;
}
