// The page on which somebody looks at a decision again: the console's editor, with what changed below it.

import { Editing } from "./editing.js";

const form = document.querySelector(".qa-form");
if (document.querySelector(".editor") !== null) {
  new Editing({
    form,
    find: (selector) => document.querySelector(selector),
    statement: { follow() {} },
    showError() {},
  });
}
