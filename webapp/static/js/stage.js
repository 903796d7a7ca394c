// One item on screen: its tabs, findings, categories, edits, timers and dialogs.

import { showDiff, wordDiff } from "./diff.js";
import { getText } from "./server.js";

const CATEGORY_CYCLE = ["", "yes", "no"];
const DIFF_DELAY_MS = 120;

export class Stage {
  constructor(element, { announce }) {
    this.element = element;
    this.announce = announce;
    this.form = element.querySelector("[data-answer]");
    this.editor = element.querySelector(".editor");
    this.original = this.editor ? this.editor.defaultValue : "";
    this.current = -1;
    this.keystrokes = 0;
    this.activeMs = 0;
    this.lastInput = null;
    this.leaseEnds = performance.now() + 1000 * Number(element.dataset.leaseSeconds);
    const due = element.querySelector("[data-sla]");
    this.due = due ? performance.now() + 1000 * Number(due.dataset.sla) : null;
    this.warned = false;
    this.listen();
    this.markDropped();
    if (this.isEdited()) this.drawDiff();
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  all(selector) {
    return [...this.element.querySelectorAll(selector)];
  }

  listen() {
    for (const tab of this.all("[data-tab]")) {
      tab.addEventListener("click", () => this.openTab(tab.dataset.tab));
      tab.addEventListener("keydown", (event) => this.moveTab(event));
    }
    for (const dialog of this.all("dialog")) {
      for (const button of dialog.querySelectorAll("[data-close]")) button.addEventListener("click", () => dialog.close());
    }
    this.find("[data-open-skip]")?.addEventListener("click", () => this.openDialog("[data-skip]"));
    this.find("[data-open-escalate]")?.addEventListener("click", () => this.openDialog("[data-escalate]"));
    this.find("[data-skip]")?.addEventListener("keydown", (event) => this.pickReason(event));
    this.find("[data-reset-edit]")?.addEventListener("click", () => this.resetEdit());
    this.editor?.addEventListener("input", () => this.edited());
    this.form.addEventListener("change", (event) => this.changed(event.target));
    for (const mark of this.all(".hl")) mark.addEventListener("click", () => this.focusFindingOf(mark));
  }

  // Verdicts

  outcome() {
    return this.form.elements.outcome.value;
  }

  /** Choose a verdict; false when it is not offered here. */
  choose(value) {
    const radio = [...this.form.querySelectorAll("input[name=outcome]")].find((input) => input.value === value);
    if (!radio || radio.disabled) return false;
    radio.checked = true;
    radio.focus({ preventScroll: true });
    this.changed(radio);
    this.announce(`${radio.parentElement.querySelector("b").textContent} chosen. Enter submits.`);
    return true;
  }

  showError(message) {
    const place = this.find("[data-error]");
    place.textContent = message;
    if (message) place.scrollIntoView({ block: "nearest" });
  }

  changed(input) {
    if (input.name === "outcome") {
      this.showError("");
      if (input.value === "redact") this.openTab("redacted");
      else if (input.value === "replace") this.openTab("edit");
      else if (this.isEdited()) this.openTab("edit");
      else this.openTab("text");
    }
    if (input.name.startsWith("finding-")) {
      this.markDropped();
      this.redactedIsOld = true;
      this.refreshRedacted();
    }
  }

  // Tabs

  openTab(name) {
    if (!this.find(`[data-tab="${name}"]`)) return;
    for (const tab of this.all("[data-tab]")) {
      const selected = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
    }
    for (const panel of this.all("[data-panel]")) panel.toggleAttribute("data-js-hidden", panel.dataset.panel !== name);
    if (name === "redacted") this.refreshRedacted();
  }

  moveTab(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = this.all("[data-tab]");
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    this.openTab(next.dataset.tab);
    next.focus();
  }

  async refreshRedacted() {
    const place = this.find("[data-redacted]");
    if (!place || !this.redactedIsOld || this.find('[data-panel="redacted"]').hasAttribute("data-js-hidden")) return;
    this.redactedIsOld = false;
    const drop = this.droppedIds().join(",");
    try {
      const text = await getText(`${this.element.dataset.redactedUrl}?drop=${drop}`);
      if (drop === this.droppedIds().join(",")) place.textContent = text;
    } catch {
      this.redactedIsOld = true;
      this.announce("The redacted text could not be refreshed.");
    }
  }

  // Edits

  startEdit() {
    if (!this.editor) return;
    this.openTab("edit");
    this.editor.focus();
    this.editor.setSelectionRange(0, 0);
  }

  isEdited() {
    return this.editor !== null && this.editor.value !== this.original;
  }

  edited() {
    clearTimeout(this.diffTimer);
    this.diffTimer = setTimeout(() => this.drawDiff(), DIFF_DELAY_MS);
    const replace = this.form.querySelector("input[value=replace]");
    if (this.isEdited()) replace.checked = true;
    else if (replace.checked) replace.checked = false;
    this.showError("");
  }

  drawDiff() {
    const place = this.find("[data-diff]");
    const summary = this.find("[data-diff-summary]");
    if (!this.isEdited()) {
      place.replaceChildren();
      summary.textContent = "none yet";
      return;
    }
    const counts = showDiff(place, wordDiff(this.original, this.editor.value));
    summary.textContent = `${counts.del} words out, ${counts.ins} in`;
  }

  resetEdit() {
    this.editor.value = this.original;
    this.edited();
    this.drawDiff();
  }

  // Findings

  rows() {
    return this.all("[data-finding]");
  }

  inSpanMode() {
    return this.current >= 0;
  }

  moveFinding(step) {
    const rows = this.rows();
    if (rows.length === 0) {
      this.announce("There are no findings.");
      return;
    }
    this.focusFinding((this.current + step + rows.length) % rows.length);
  }

  focusFinding(index) {
    this.leaveSpanMode();
    const row = this.rows()[index];
    this.current = index;
    row.classList.add("is-current");
    row.focus();
    const marks = this.marksOf(row.dataset.finding);
    if (marks.length > 0 && !this.find('[data-panel="text"]')?.contains(document.activeElement)) this.openTab("text");
    for (const mark of marks) mark.classList.add("is-current");
    marks[0]?.scrollIntoView({ block: "nearest" });
    const name = row.querySelector(".chip").textContent;
    this.announce(`Finding ${index + 1} of ${this.rows().length}: ${name}, ${row.querySelector("input:checked")?.value ?? "not judged"}`);
  }

  focusFindingOf(mark) {
    const id = mark.dataset.findings.split(" ")[0];
    const index = this.rows().findIndex((row) => row.dataset.finding === id);
    if (index >= 0) this.focusFinding(index);
  }

  leaveSpanMode() {
    for (const node of this.all(".is-current")) node.classList.remove("is-current");
    this.current = -1;
  }

  /** Drop the current finding, or keep it when it is dropped. */
  toggleFinding() {
    const row = this.rows()[this.current];
    const dropped = row.querySelector("input[value=drop]");
    const input = dropped.checked ? row.querySelector("input[value=keep]") : dropped;
    input.checked = true;
    this.changed(input);
    this.announce(input.value === "keep" ? "Kept" : "Dropped");
  }

  marksOf(id) {
    return this.all(".hl").filter((mark) => mark.dataset.findings.split(" ").includes(id));
  }

  droppedIds() {
    return this.all("[data-finding]:has(input[value=drop]:checked)").map((row) => row.dataset.finding);
  }

  markDropped() {
    const dropped = new Set(this.droppedIds());
    for (const mark of this.all(".hl")) {
      mark.classList.toggle("is-dropped", mark.dataset.findings.split(" ").every((id) => dropped.has(id)));
    }
  }

  // Categories

  cycleCategory(key) {
    const row = this.find(`[data-category="${key}"]`);
    if (!row) return;
    const inputs = [...row.querySelectorAll("input")];
    const now = inputs.find((input) => input.checked)?.value ?? "";
    const next = CATEGORY_CYCLE[(CATEGORY_CYCLE.indexOf(now) + 1) % CATEGORY_CYCLE.length];
    inputs.find((input) => input.value === next).checked = true;
    row.scrollIntoView({ block: "nearest" });
    this.announce(`${row.querySelector("[role=radiogroup]").getAttribute("aria-label")}: ${next || "open"}`);
  }

  // Dialogs

  openDialog(selector) {
    const dialog = this.find(selector);
    if (!dialog) return;
    dialog.showModal();
    dialog.querySelector("textarea, button[type=submit]").focus();
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

  // Time

  /** Note that the reviewer did something. Gaps of more than 30 s are rest, not work. */
  touched(isKey) {
    const now = performance.now();
    if (this.lastInput !== null) this.activeMs += Math.min(now - this.lastInput, 30_000);
    this.lastInput = now;
    if (isKey) this.keystrokes += 1;
  }

  extendLease(seconds) {
    this.leaseEnds = performance.now() + 1000 * seconds;
    this.warned = false;
  }

  tick() {
    const now = performance.now();
    const lease = this.find("[data-lease]");
    const left = this.leaseEnds - now;
    lease.querySelector("[data-clock]").textContent = left > 0 ? clock(left) : "over";
    lease.classList.toggle("is-soon", left < 60_000);
    if (left < 60_000 && !this.warned) {
      this.warned = true;
      this.announce("Less than a minute is left of your time for this item. Any input extends it.");
    }
    if (this.due === null) return;
    const due = this.find("[data-sla]");
    const overdue = now > this.due;
    due.querySelector("[data-clock]").textContent = overdue ? `${clock(now - this.due)} ago` : `in ${clock(this.due - now)}`;
    due.classList.toggle("is-bad", overdue);
  }

  formData() {
    this.form.elements.active_ms.value = Math.round(this.activeMs);
    this.form.elements.keystrokes.value = this.keystrokes;
    const data = new FormData(this.form);
    if (data.get("outcome") !== "replace") data.delete("correction");
    return data;
  }
}

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}
