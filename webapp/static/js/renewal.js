// What the server changed in an item that is on screen, taken over without what the reviewer filled in.

import { parseStage } from "./server.js";

/** Take the item's version, triggers, findings and choices from the server, and keep what the reviewer filled in. */
export async function renewFence(stage) {
  const response = await fetch(stage.element.dataset.url, { redirect: "manual" });
  if (!response.ok) return;
  const fresh = parseStage(await response.text());
  const version = fresh.querySelector("input[name=version]");
  if (version === null) return;
  stage.form.elements.version.value = version.value;
  const [before, after] = [stage.element, fresh].map((each) => each.querySelector(".triggers"));
  if (before && after && before.childElementCount !== after.childElementCount) before.replaceWith(after);
  renewFindings(stage, fresh);
  const form = fresh.querySelector("[data-answer]");
  stage.form.dataset.reasonFor = form.dataset.reasonFor;
  if (stage.form.dataset.schema !== form.dataset.schema) renewChoices(stage.form, form);
}

// Rules found more: their rows come, judged so far as they were, with the marks that the reviewer moved and added.
function renewFindings(stage, fresh) {
  const [before, after] = [stage.element, fresh].map((each) => each.querySelector("[data-finding-list]"));
  if (before.querySelectorAll("[data-finding]").length === after.childElementCount) return;
  const judged = new FormData(stage.form);
  for (const input of after.querySelectorAll("input")) input.checked = judged.get(input.name) === input.value;
  before.replaceWith(after);
  stage.findings.adopt();
}

// A lead moved the queue to other choices: offer those, with what the reviewer chose where it is still offered.
function renewChoices(form, fresh) {
  const chosen = new FormData(form);
  for (const input of fresh.querySelectorAll("input[type=radio], input[type=checkbox]")) {
    if (chosen.getAll(input.name).includes(input.value)) input.checked = true;
  }
  for (const name of ["verdicts", "snippets", "rubric", "categories"]) {
    const [before, after] = [form, fresh].map((each) => each.querySelector(`fieldset.${name}`));
    if (before && after) before.replaceWith(after);
    else if (before) before.remove();
    else if (after) form.querySelector(".categories").before(after);
  }
  form.dataset.schema = fresh.dataset.schema;
}
