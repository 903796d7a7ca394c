// A blank screen: nothing is shown, no key is a command and no time is counted until the reviewer goes on.

import { nameOf } from "./keys.js";

const blank = document.getElementById("blank");

export function isPaused() {
  return blank.open;
}

export function pause() {
  blank.showModal();
}

document.querySelector("[data-open-blank]").addEventListener("click", pause);
blank.querySelector("[data-close]").addEventListener("click", () => blank.close());
blank.addEventListener("keydown", (event) => {
  if (event.repeat || event.isComposing || nameOf(event) !== blank.dataset.key) return;
  event.preventDefault();
  blank.close();
});
