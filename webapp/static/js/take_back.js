// Pages on which nothing is worked on: the key and the button take the newest decision back and go to its item.

import { isTaken, nameOf } from "./keys.js";
import { UndoBar } from "./undo.js";

const form = document.querySelector("[data-undo]");
const bar = new UndoBar(form);

document.addEventListener("keydown", (event) => {
  if (nameOf(event) !== form.dataset.key || isTaken(event) || !bar.isOpen()) return;
  event.preventDefault();
  form.requestSubmit();
});
