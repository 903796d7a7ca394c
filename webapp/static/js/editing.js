// The editor of the output, with what changed below it.

import { showDiff, wordDiff } from "./diff.js";
import { fetchRedacted } from "./redaction.js";
import { fill, gettext } from "./texts.js";

const DIFF_DELAY_MS = 120;

export class Editing {
  constructor(stage) {
    this.stage = stage;
    this.editor = stage.find(".editor");
    // The editor may begin with an edited text: one that was refused, taken back, or taken over.
    // An editor has no carriage returns.
    this.original = this.editor ? stage.find("[data-output]").textContent.replace(/\r\n?/g, "\n") : "";
    this.redacted = null;
    stage.find("[data-edit-redacted]")?.addEventListener("click", () => this.beginWithRedacted());
    stage.find("[data-reset-edit]")?.addEventListener("click", () => this.reset());
    this.editor?.addEventListener("input", () => this.changed());
    if (this.isEdited()) {
      this.drawDiff();
      // Somebody may have typed before this script was there.
      const chosen = stage.form.querySelector("input[name=outcome]:checked");
      const typed = this.editor.value !== this.editor.defaultValue && (chosen?.defaultChecked ?? true);
      if (typed) stage.form.querySelector("input[value=replace]").checked = true;
    }
  }

  start() {
    if (!this.editor) return;
    this.stage.cover.keepShown();
    this.stage.tabs.open("edit");
    this.editor.focus();
    this.editor.setSelectionRange(0, 0);
  }

  /** Put the redacted text into the editor; it follows the marks until it is edited by hand. */
  async beginWithRedacted() {
    try {
      const text = await fetchRedacted(this.stage);
      if (text === null) return;
      this.editor.value = text;
      this.redacted = this.editor.value;
      this.changed();
      this.drawDiff();
    } catch {
      this.stage.announce(gettext("The redacted text could not be fetched."));
    }
  }

  /** Put a text of elsewhere into the editor. */
  fill(text) {
    this.editor.value = text;
    this.redacted = null;
    this.changed();
    this.drawDiff();
  }

  followRedacted() {
    if (this.redacted !== null && this.editor.value === this.redacted) this.beginWithRedacted();
  }

  isEdited() {
    return this.editor !== null && this.editor.value !== this.original;
  }

  changed() {
    clearTimeout(this.diffTimer);
    this.diffTimer = setTimeout(() => this.drawDiff(), DIFF_DELAY_MS);
    const replace = this.stage.form.querySelector("input[value=replace]");
    if (this.isEdited()) replace.checked = true;
    else if (replace.checked) replace.checked = false;
    this.stage.statement.follow();
    this.stage.showError("");
  }

  drawDiff() {
    if (!this.editor) return;
    const place = this.stage.find("[data-diff]");
    const summary = this.stage.find("[data-diff-summary]");
    if (!this.isEdited()) {
      place.replaceChildren();
      summary.textContent = gettext("none yet");
      return;
    }
    const counts = showDiff(place, wordDiff(this.original, this.editor.value));
    summary.textContent = fill(gettext("%(del)s words out, %(ins)s in"), counts);
  }

  reset() {
    this.fill(this.original);
  }
}
