// What each key does.

import { announce } from "./frame.js";
import { isControl, isSubmitChord, isTaken } from "./keys.js";

const VERDICT_KEYS = { a: "release", r: "redact", b: "block", u: "unsure" };

/** Obey the keys from now on. */
export function listenToKeys(line, answers) {
  const keysDialog = document.getElementById("keys");

  document.addEventListener("keydown", (event) => {
    if (isSubmitChord(event)) {
      if (document.querySelector("dialog[open]")) return;
      event.preventDefault();
      answers.submit();
      return;
    }
    if (event.key === "Escape") leave(event);
    if (line.busy || line.stage === null || isTaken(event)) return;
    if (command(event)) event.preventDefault();
  });
  document.querySelector("[data-open-keys]").addEventListener("click", () => keysDialog.showModal());
  keysDialog.querySelector("[data-close]").addEventListener("click", () => keysDialog.close());

  /** Do what the key says; false when it says nothing here. */
  function command(event) {
    const { stage } = line;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (key in VERDICT_KEYS) chooseOrSubmit(VERDICT_KEYS[key]);
    else if (/^[1-9]$/.test(key)) stage.cycleCategory(key);
    else if (key === "e") stage.editing.start();
    else if (key === "s") stage.openDialog("[data-skip]");
    else if (key === "x") stage.openDialog("[data-escalate]");
    else if (key === "h") stage.openDialog("[data-hold]");
    else if (key === "c") stage.focusNote();
    else if (key === "z") answers.undo();
    else if (key === "?") keysDialog.showModal();
    else if (key === "F2") stage.findings.inSpanMode() ? stage.findings.leave() : stage.findings.move(1);
    else if (key === "Tab" && stage.findings.inSpanMode()) stage.findings.move(event.shiftKey ? -1 : 1);
    else if (key === " " && stage.findings.inSpanMode()) stage.findings.toggle();
    else if (key === "Enter" && stage.outcome() && !isControl(event.target)) answers.submit();
    else return false;
    return true;
  }

  function chooseOrSubmit(value) {
    if (line.stage.outcome() === value) answers.submit();
    else if (!line.stage.choose(value)) announce("That is not possible for this item.");
  }

  function leave(event) {
    if (line.stage === null || document.querySelector("dialog[open]") || event.isComposing) return;
    line.stage.findings.leave();
    if (event.target instanceof HTMLTextAreaElement) line.stage.element.focus({ preventScroll: true });
  }
}
