// Pages on which nothing is worked on: views of the output can be changed, and the key and the button take the newest
// decision back and go to its item.

import { isTaken, nameOf } from "./keys.js";
import { Tabs } from "./tabs.js";
import { UndoBar } from "./undo.js";

const form = document.querySelector("[data-undo]");
const bar = new UndoBar(form);

document.addEventListener("keydown", (event) => {
  if (nameOf(event) !== form.dataset.key || isTaken(event) || !bar.isOpen()) return;
  event.preventDefault();
  form.requestSubmit();
});

const shown = document.querySelector(".stage");
if (shown !== null) {
  new Tabs({
    find: (selector) => shown.querySelector(selector),
    all: (selector) => [...shown.querySelectorAll(selector)],
  });
}
