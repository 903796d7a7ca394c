// Pages on which nothing is worked on: Z and the button take the newest decision back and go to its item.

import { isTaken } from "./keys.js";
import { UndoBar } from "./undo.js";

const form = document.querySelector("[data-undo]");
const bar = new UndoBar(form);

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "z" || isTaken(event) || !bar.isOpen()) return;
  event.preventDefault();
  form.requestSubmit();
});
