// The findings of an item: gone through with keys, kept or dropped, marked in the text.

export class Findings {
  constructor(stage) {
    this.stage = stage;
    this.current = -1;
    for (const mark of stage.all(".hl")) mark.addEventListener("click", () => this.focusOf(mark));
    this.markDropped();
  }

  rows() {
    return this.stage.all("[data-finding]");
  }

  inSpanMode() {
    return this.current >= 0;
  }

  move(step) {
    const rows = this.rows();
    if (rows.length === 0) {
      this.stage.announce("There are no findings.");
      return;
    }
    this.focus((this.current + step + rows.length) % rows.length);
  }

  focus(index) {
    this.leave();
    const { stage } = this;
    const row = this.rows()[index];
    this.current = index;
    row.classList.add("is-current");
    row.focus();
    const marks = this.marksOf(row.dataset.finding);
    if (marks.length > 0 && !stage.find('[data-panel="text"]')?.contains(document.activeElement)) stage.tabs.open("text");
    for (const mark of marks) mark.classList.add("is-current");
    marks[0]?.scrollIntoView({ block: "nearest" });
    const name = row.querySelector(".chip").textContent;
    stage.announce(`Finding ${index + 1} of ${this.rows().length}: ${name}, ${row.querySelector("input:checked")?.value ?? "not judged"}`);
  }

  focusOf(mark) {
    const id = mark.dataset.findings.split(" ")[0];
    const index = this.rows().findIndex((row) => row.dataset.finding === id);
    if (index >= 0) this.focus(index);
  }

  leave() {
    for (const node of this.stage.all(".is-current")) node.classList.remove("is-current");
    this.current = -1;
  }

  /** Drop the current finding, or keep it when it is dropped. */
  toggle() {
    const row = this.rows()[this.current];
    const dropped = row.querySelector("input[value=drop]");
    const input = dropped.checked ? row.querySelector("input[value=keep]") : dropped;
    input.checked = true;
    this.stage.changed(input);
    this.stage.announce(input.value === "keep" ? "Kept" : "Dropped");
  }

  marksOf(id) {
    return this.stage.all(".hl").filter((mark) => mark.dataset.findings.split(" ").includes(id));
  }

  droppedIds() {
    return this.stage.all("[data-finding]:has(input[value=drop]:checked)").map((row) => row.dataset.finding);
  }

  markDropped() {
    const dropped = new Set(this.droppedIds());
    for (const mark of this.stage.all(".hl")) {
      mark.classList.toggle("is-dropped", mark.dataset.findings.split(" ").every((id) => dropped.has(id)));
    }
  }
}
