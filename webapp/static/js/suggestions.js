// Answers of elsewhere: taking one over fills the form, and the reviewer goes on from there.

import { gettext } from "./texts.js";

export class Suggestions {
  constructor(stage) {
    this.stage = stage;
    for (const link of stage.all("[data-take]")) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        this.take(link.closest("[data-suggestion]"));
      });
    }
  }

  take(row) {
    const { stage } = this;
    const correction = row.querySelector("[data-suggested-correction]");
    const note = row.querySelector("[data-suggested-note]");
    if (correction && stage.editing.editor) stage.editing.fill(correction.textContent);
    if (note && !stage.form.elements.note.value.trim()) stage.form.elements.note.value = note.textContent;
    if (!row.dataset.outcome || !stage.choose(row.dataset.outcome)) stage.announce(gettext("Taken over. Say what happens to the output."));
  }
}
