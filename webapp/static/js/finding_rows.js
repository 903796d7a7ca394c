// The list of findings beside the output: a row each for what rules found, and for what the reviewer marked.

export class FindingRows {
  constructor(stage) {
    this.list = stage.find("[data-finding-list]");
    this.blank = stage.find("[data-new-finding]");
  }

  all() {
    return [...this.list.children];
  }

  of(key) {
    return this.all().find((row) => keyOf(row) === key);
  }

  dropped() {
    return this.all().filter((row) => row.querySelector("input[value=drop]")?.checked).map(keyOf);
  }

  /** Show where a marked place is now and what it is called. */
  update(span, spans) {
    const row = this.of(span.key) ?? this.add(span, spans);
    const { places } = spans;
    const chip = row.querySelector("[data-chip]");
    chip.textContent = span.label;
    chip.className = `chip chip-${span.kind}`;
    row.querySelector("[data-where]").textContent = where(places, span);
    const changed = row.querySelector("[data-changed]");
    if (changed === null) return;
    changed.hidden = !spans.isChanged(span);
    row.querySelector("[data-was]").textContent = `${span.found.label} ${where(places, span.found)}`;
  }

  add(span, spans) {
    const row = this.blank.content.firstElementChild.cloneNode(true);
    row.dataset.added = span.key;
    const next = spans.list.find((other) => other.start > span.start && this.of(other.key));
    this.list.insertBefore(row, next ? this.of(next.key) : null);
    return row;
  }
}

export function keyOf(row) {
  return row.dataset.finding ?? row.dataset.added;
}

function where(places, { start, end }) {
  return `${places.toPoints(start)}–${places.toPoints(end)}`;
}
