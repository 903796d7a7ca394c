// What each command does. Which key gives it is the reviewer's choice, and comes with the page.

import { announce, root } from "./frame.js";
import { isControl, isSubmitChord, isTaken, nameOf } from "./keys.js";
import { pause } from "./pause.js";
import { PREFERENCE_COMMANDS } from "./preference.js";
import { ARROWS, REPEATED, SPAN_COMMANDS, moveByArrow } from "./span_keys.js";
import { gettext } from "./texts.js";

const keysDialog = document.getElementById("keys");

// Each gets {stage, answers, event}; one that returns false had nothing to do, and leaves the key to the browser.
const COMMANDS = {
  release: (work) => chooseOrSubmit("release", work),
  redact: (work) => chooseOrSubmit("redact", work),
  block: (work) => chooseOrSubmit("block", work),
  unsure: (work) => chooseOrSubmit("unsure", work),
  edit: ({ stage }) => stage.editing.start(),
  skip: ({ stage }) => stage.openDialog("[data-skip]"),
  escalate: ({ stage }) => stage.openDialog("[data-escalate]"),
  hold: ({ stage }) => stage.openDialog("[data-hold]"),
  findings: ({ stage }) => (stage.findings.inSpanMode() ? stage.findings.leave() : stage.findings.move(1)),
  keep: ({ stage }) => stage.findings.inSpanMode() && void stage.findings.toggle(),
  ...SPAN_COMMANDS,
  comment: ({ stage }) => stage.comments.open(),
  ...PREFERENCE_COMMANDS,
  policy: ({ stage }) => stage.policy.open(),
  note: ({ stage }) => stage.focusNote(),
  alike: ({ stage }) => stage.element.querySelector("[data-alike]")?.click(),
  reveal: ({ stage, event }) => stage.cover.press(event),
  pause: () => pause(),
  undo: ({ answers }) => void answers.undo(),
  help: () => keysDialog.showModal(),
};

function chooseOrSubmit(value, { stage, answers }) {
  if (stage.outcome() === value) answers.submit();
  else if (!stage.choose(value)) announce(gettext("That is not possible for this item."));
}

/** Obey the keys from now on. */
export function listenToKeys(line, answers) {
  const commands = new Map(Object.entries(JSON.parse(root.dataset.keys)).map(([command, key]) => [key, command]));
  commands.delete("");

  document.addEventListener("keydown", (event) => {
    if (isSubmitChord(event)) {
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      answers.submit();
      return;
    }
    if (event.key === "Escape") leave(event);
    if (line.busy || line.stage === null || isTaken(event)) return;
    if (obey(event)) event.preventDefault();
  });
  document.querySelector("[data-open-keys]").addEventListener("click", () => keysDialog.showModal());
  keysDialog.querySelector("[data-close]").addEventListener("click", () => keysDialog.close());

  /** Do what the key says; false when it says nothing here. */
  function obey(event) {
    const { stage } = line;
    const key = nameOf(event);
    const among = stage.findings.inSpanMode();
    if (key === "Space" && !among && isControl(event.target)) return false;
    const command = commands.get(key);
    if (event.repeat && !REPEATED.has(command)) return among && key in ARROWS && moveByArrow(stage.findings, event);
    if (command) return COMMANDS[command]({ stage, answers, event }) !== false;
    if (/^[1-9]$/.test(key)) stage.useHotkey(key);
    else if (key === "Tab" && among) stage.findings.move(event.shiftKey ? -1 : 1);
    else if (key === "Enter" && stage.outcome() && !isControl(event.target)) answers.submit();
    else return among && key in ARROWS && moveByArrow(stage.findings, event);
    return true;
  }

  function leave(event) {
    if (line.stage === null || document.querySelector("dialog[open]") || event.isComposing) return;
    line.stage.findings.leave();
    if (event.target instanceof HTMLTextAreaElement) line.stage.element.focus({ preventScroll: true });
  }
}
