// One item on screen: its form, and the parts that look after the rest of it.

import { Comments } from "./comments.js";
import { Cover } from "./cover.js";
import { Editing } from "./editing.js";
import { Findings } from "./findings.js";
import { PolicySearch } from "./policy.js";
import { Statement } from "./statement.js";
import { Suggestions } from "./suggestions.js";
import { Tabs } from "./tabs.js";
import { fill, gettext } from "./texts.js";
import { Timers } from "./timers.js";

const CATEGORY_CYCLE = ["", "yes", "no"];

export class Stage {
  constructor(element, { announce }) {
    this.element = element;
    this.announce = announce;
    this.form = this.find("[data-answer]");
    this.timers = new Timers(this);
    this.cover = new Cover(this);
    this.tabs = new Tabs(this);
    this.editing = new Editing(this);
    this.findings = new Findings(this);
    this.findings.adopt();
    this.policy = new PolicySearch(this);
    this.statement = new Statement(this);
    this.form.addEventListener("change", (event) => this.changed(event.target));
    this.comments = new Comments(this);
    this.suggestions = new Suggestions(this);
    // The promise of what the server changed in it, while that is on its way.
    this.renewing = null;
    this.listenToDialogs();
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  all(selector) {
    return [...this.element.querySelectorAll(selector)];
  }

  // Verdicts

  outcome() {
    return this.form.elements.outcome.value;
  }

  /** Choose a verdict; false when it is not offered here. */
  choose(value) {
    const radio = [...this.form.querySelectorAll("input[name=outcome]")].find((input) => input.value === value);
    if (!radio || radio.disabled || (value === "redact" && !this.findings.canRedact())) return false;
    radio.checked = true;
    radio.focus({ preventScroll: true });
    this.changed(radio);
    this.announce(fill(gettext("%(outcome)s chosen. Enter submits."), { outcome: radio.parentElement.querySelector("b").textContent }));
    return true;
  }

  /** Return what the reviewer has to do before they can submit; "" when nothing is missing. */
  missing() {
    if (!this.outcome()) return gettext("Choose what happens to the output first.");
    const wanted = this.form.dataset.reasonFor.split(" ").includes(this.outcome());
    const given = this.form.elements.note.value.trim() || this.form.querySelector("input[name=reason]:checked, input[name=snippet]:checked");
    return wanted && !given ? gettext("This queue wants a reason: choose a rule of the policy or a sentence, or write a note.") : "";
  }

  showError(message) {
    const place = this.find("[data-error]");
    place.textContent = message;
    if (message) place.scrollIntoView({ block: "nearest" });
  }

  changed(input) {
    this.statement.follow();
    if (input.name === "outcome") {
      this.showError("");
      this.tabs.openFor(input.value);
    }
    if (input.name.startsWith("finding-")) {
      this.findings.judged();
      this.outdateRedacted();
    }
  }

  /** Note that findings were judged or marks moved: what shows the redacted text follows. */
  outdateRedacted() {
    this.tabs.outdateRedacted();
    this.editing.followRedacted();
  }

  /** Show again what follows from the form, after it was filled in by something else than the reviewer. */
  refresh() {
    this.findings.adopt();
    this.outdateRedacted();
    this.editing.drawDiff();
    this.policy.narrow();
    this.statement.follow();
  }

  // Categories

  /** Do what a hotkey of the label schema does: ask a category on, or tick a sentence. */
  useHotkey(key) {
    const snippet = this.find(`[data-hotkey="${key}"]`);
    if (snippet) this.tickSnippet(snippet);
    else this.cycleCategory(key);
  }

  tickSnippet(snippet) {
    snippet.click();
    snippet.scrollIntoView({ block: "nearest" });
    this.announce(`${snippet.value}: ${snippet.checked ? gettext("yes") : gettext("no")}`);
  }

  cycleCategory(key) {
    const row = this.find(`[data-category="${key}"]`);
    if (!row) return;
    const inputs = [...row.querySelectorAll("input")];
    const now = inputs.find((input) => input.checked)?.value ?? "";
    const next = CATEGORY_CYCLE[(CATEGORY_CYCLE.indexOf(now) + 1) % CATEGORY_CYCLE.length];
    inputs.find((input) => input.value === next).checked = true;
    this.statement.follow();
    row.scrollIntoView({ block: "nearest" });
    this.announce(`${row.querySelector("[role=radiogroup]").getAttribute("aria-label")}: ${next ? (next === "yes" ? gettext("yes") : gettext("no")) : gettext("open")}`);
  }

  // Dialogs

  listenToDialogs() {
    for (const button of this.all("dialog [data-close]")) {
      button.addEventListener("click", () => button.closest("dialog").close());
    }
    this.find("[data-open-skip]")?.addEventListener("click", () => this.openDialog("[data-skip]"));
    this.find("[data-open-escalate]")?.addEventListener("click", () => this.openDialog("[data-escalate]"));
    this.find("[data-open-hold]")?.addEventListener("click", () => this.openDialog("[data-hold]"));
    this.find("[data-skip]")?.addEventListener("keydown", (event) => this.pickReason(event));
  }

  openDialog(selector) {
    const dialog = this.find(selector);
    if (!dialog) return;
    dialog.showModal();
    dialog.querySelector("input:not([type=hidden]), textarea, button[type=submit]").focus();
  }

  pickReason(event) {
    if (event.repeat || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const button = this.find(`[data-skip] [data-number="${CSS.escape(event.key)}"]`);
    if (!button) return;
    event.preventDefault();
    button.click();
  }

  focusNote() {
    this.form.elements.note.focus();
  }

  /** What the reviewer spent on the item so far, as the server counts it. */
  effort() {
    return [["active_ms", Math.round(this.timers.activeMs)], ["seen_ms", Math.round(this.timers.seenMs)]];
  }

  formData() {
    for (const [name, value] of this.effort()) this.form.elements[name].value = value;
    this.form.elements.keystrokes.value = this.timers.keystrokes;
    const data = new FormData(this.form);
    if (data.get("outcome") !== "replace") data.delete("correction");
    return data;
  }
}
