// The findings of an item: gone through with keys, kept or dropped; in the output moved, renamed and added to.

import { FindingRows, keyOf } from "./finding_rows.js";
import { Marks, keysOf } from "./marks.js";
import { Places } from "./places.js";
import { listenToTools } from "./span_keys.js";
import { Spans } from "./spans.js";
import { fill, gettext } from "./texts.js";
import { TypeDialog } from "./type_dialog.js";

const SAID = {
  keep: gettext("keep"),
  drop: gettext("drop"),
  added: gettext("marked by you"),
  open: gettext("not judged"),
};

// What was marked last: the next mark is most often of the same type.
let lastType = null;

export class Findings {
  constructor(stage) {
    this.stage = stage;
    this.output = stage.find("[data-output]");
    this.field = stage.form.elements.spans;
    this.types = new TypeDialog(stage);
    this.current = null;
    this.marks = null;
    this.output?.addEventListener("click", (event) => this.clicked(event.target));
    const tools = stage.find("[data-span-tools]");
    if (tools) listenToTools(this, tools);
    stage.find(".findings").addEventListener("click", (event) => this.pressed(event.target));
    const told = this.field.value;
    stage.form.addEventListener("reset", () => {
      this.field.value = told;
    });
  }

  /** Read the rows and the form: when the item comes on screen, and when something else than the reviewer changed them. */
  adopt() {
    this.leave();
    this.rows = new FindingRows(this.stage);
    this.spans = new Spans(new Places(this.output?.textContent ?? ""));
    for (const row of this.rows.all()) {
      const { start, end, label, kind, added } = row.dataset;
      if (added !== undefined) row.remove();
      else if (start !== undefined) this.spans.find(keyOf(row), { start: Number(start), end: Number(end), label, kind });
    }
    const drawn = this.marks !== null;
    this.marks = this.output && new Marks(this.output, this.spans);
    const told = this.field.value;
    if (told) this.restore(JSON.parse(told));
    if (drawn || told) this.show();
    this.judged();
  }

  // What was filled in before: with the page, or on this device.
  restore(told) {
    const { places } = this.spans;
    for (const { start, end, label, finding } of told) {
      const kind = this.types.kindOf(label);
      const [from, to] = [places.toUnits(start), Math.min(places.toUnits(end), places.text.length)];
      const span = finding === null ? this.spans.add(from, to, label, kind) : this.spans.get(String(finding));
      if (!span) continue;
      Object.assign(span, { label, kind });
      this.spans.place(span, from, to);
    }
  }

  show() {
    for (const span of this.spans.list) this.rows.update(span, this.spans);
    this.marks?.drawAll();
  }

  // Going through

  inSpanMode() {
    return this.current !== null;
  }

  move(step) {
    const rows = this.rows.all();
    if (rows.length === 0) {
      this.stage.announce(gettext("There are no findings."));
      return;
    }
    const at = this.current === null ? (step > 0 ? -1 : 0) : rows.indexOf(this.current);
    this.focus(rows[(at + step + rows.length) % rows.length]);
  }

  focus(row) {
    this.leave();
    this.current = row;
    row.classList.add("is-current");
    row.focus();
    const span = this.span();
    if (span) {
      this.stage.tabs.open("text");
      this.marks.choose(span);
      this.marks.elementOf(span)?.scrollIntoView({ block: "nearest" });
    }
    const rows = this.rows.all();
    const said = row.querySelector("input:checked")?.value ?? (span?.finding === null ? "added" : "open");
    this.stage.announce(fill(gettext("Finding %(number)s of %(all)s: %(label)s, %(said)s"), {
      number: rows.indexOf(row) + 1,
      all: rows.length,
      label: row.querySelector("[data-chip]").textContent,
      said: SAID[said],
    }));
  }

  leave() {
    this.current?.classList.remove("is-current");
    this.current = null;
    this.marks?.choose(null);
  }

  /** The marked place of the current row; undefined when it has none. */
  span() {
    return this.current === null ? undefined : this.spans.get(keyOf(this.current));
  }

  clicked(target) {
    const mark = target.closest(".hl");
    if (mark && getSelection().isCollapsed) this.focus(this.rows.of(keysOf(mark)[0]));
  }

  pressed(target) {
    const button = target.closest("[data-remove], [data-restore]");
    if (button === null) return;
    const span = this.spans.get(keyOf(button.closest(".finding")));
    if (button.hasAttribute("data-remove")) this.remove(span);
    else this.reset(span);
  }

  /** Whether there may be a place that redacting takes out; what is hidden before the answer may have some. */
  canRedact() {
    return this.spans.list.length > 0 || this.stage.find(".findings").hasAttribute("data-blind");
  }

  // Judging

  /** Drop the current finding, or keep it when it is dropped; what the reviewer marked goes. */
  toggle() {
    if (this.current === null) return;
    const span = this.span();
    if (span?.finding === null) {
      this.remove(span);
      return;
    }
    const dropped = this.current.querySelector("input[value=drop]");
    const input = dropped.checked ? this.current.querySelector("input[value=keep]") : dropped;
    input.checked = true;
    this.stage.changed(input);
    this.stage.announce(input.value === "keep" ? gettext("Kept") : gettext("Dropped"));
  }

  /** Show which findings are dropped now. */
  judged() {
    const dropped = new Set(this.rows.dropped());
    for (const span of this.spans.list) {
      if (span.dropped === dropped.has(span.key)) continue;
      span.dropped = !span.dropped;
      this.marks.draw(span.start, span.end);
    }
    this.tell();
  }

  // Moving, renaming, adding

  moveEdge(edge, step) {
    this.change((span) => this.spans.moveEdge(span, edge, step));
  }

  fit() {
    const selected = this.selected();
    if (selected === null) this.stage.announce(gettext("Select a part of the output first."));
    else this.change((span) => this.spans.place(span, ...selected));
  }

  retype() {
    if (this.placed() === null) return;
    const choose = ({ label, kind }) => {
      this.change((span) => Object.assign(span, { label, kind }));
      lastType = { label, kind };
      return "";
    };
    this.types.ask(choose, { withText: false });
  }

  reset(span) {
    this.focus(this.rows.of(span.key));
    this.change(({ found }) => {
      Object.assign(span, { label: found.label, kind: found.kind });
      this.spans.place(span, found.start, found.end);
    });
  }

  /** Mark what is selected; without a selection, ask for the text. */
  mark() {
    const selected = this.selected();
    if (selected !== null && lastType !== null) this.add([selected], lastType);
    else if (selected !== null) this.types.ask((type) => this.add([selected], type), { withText: false });
    else this.types.ask((type) => this.add(this.occurrences(type), type), { withText: true });
  }

  add(ranges, { label, kind }) {
    const made = ranges.map(([start, end]) => this.spans.add(start, end, label, kind)).filter((span) => span !== null);
    if (made.length === 0) return ranges.length === 0 ? gettext("The output does not have this text.") : gettext("This is marked so already.");
    lastType = { label, kind };
    for (const span of made) {
      this.rows.update(span, this.spans);
      this.marks.draw(span.start, span.end);
    }
    getSelection().removeAllRanges();
    this.tell();
    this.focus(this.rows.of(made[0].key));
    return "";
  }

  // The first place that no mark covers yet, or all such.
  occurrences({ text, everywhere }) {
    const { places, list } = this.spans;
    const found = [];
    for (let at = places.text.indexOf(text); text && at >= 0; at = places.text.indexOf(text, at + text.length)) {
      found.push(places.whole(at, at + text.length));
    }
    const free = found.filter(([start, end]) => !list.some((span) => span.start <= start && end <= span.end));
    if (free.length === 0) return found;
    return everywhere ? free : free.slice(0, 1);
  }

  remove(span) {
    const row = this.rows.of(span.key);
    if (this.current === row) this.move(1);
    if (this.current === row) this.leave();
    row.remove();
    this.spans.remove(span);
    this.marks.draw(span.start, span.end);
    this.tell();
    this.stage.announce(gettext("Removed"));
  }

  placed() {
    const span = this.span();
    if (span && !span.dropped) return span;
    this.stage.announce(span ? gettext("It is dropped: keep it first.") : gettext("This finding has no place in the output."));
    return null;
  }

  change(act) {
    const span = this.placed();
    if (span === null) return;
    const { start, end } = span;
    if (act(span) === false) return;
    this.marks.draw(Math.min(start, span.start), Math.max(end, span.end));
    this.rows.update(span, this.spans);
    this.marks.elementOf(span)?.scrollIntoView({ block: "nearest" });
    this.tell();
    this.stage.announce(`${span.label}: ${this.spans.places.text.slice(span.start, span.end).slice(0, 200)}`);
  }

  tell() {
    const before = this.field.value;
    this.field.value = this.spans.asField();
    if (before !== this.field.value) this.stage.outdateRedacted();
  }

  /** What is selected in the output, as whole characters; null when nothing is. */
  selected() {
    const selection = getSelection();
    if (selection.isCollapsed || selection.rangeCount === 0 || !this.output) return null;
    const range = selection.getRangeAt(0);
    if (!this.output.contains(range.commonAncestorContainer)) return null;
    const before = document.createRange();
    before.selectNodeContents(this.output);
    before.setEnd(range.startContainer, range.startOffset);
    const start = before.toString().length;
    const length = range.toString().length;
    return length > 0 ? this.spans.places.whole(start, start + length) : null;
  }
}
