// Draw the marks of an output. It comes in chunks; only those in which something changed are drawn again.

export class Marks {
  constructor(output, spans) {
    this.spans = spans;
    this.current = null;
    this.chunks = [];
    let at = 0;
    for (const element of output.querySelectorAll(".chunk")) {
      const start = at;
      at += element.textContent.length;
      this.chunks.push({ element, start, end: at });
    }
  }

  /** Draw what lies in [from, to) again. */
  draw(from, to) {
    const { text } = this.spans.places;
    for (const chunk of this.chunks) {
      if (chunk.start >= to || chunk.end <= from) continue;
      chunk.element.replaceChildren(...pieces(text, chunk, this.spans.list, this.current));
    }
  }

  drawAll() {
    this.draw(0, Infinity);
  }

  /** Make `span` (or null) the current one. */
  choose(span) {
    const before = this.current;
    this.current = span;
    for (const one of [before, span]) if (one) this.draw(one.start, one.end);
  }

  elementOf(span) {
    const chunk = this.chunks.find(({ start, end }) => start <= span.start && span.start < end);
    return [...(chunk?.element.querySelectorAll(".hl") ?? [])].find((mark) => keysOf(mark).includes(span.key));
  }
}

export function keysOf(mark) {
  return mark.dataset.findings.split(" ");
}

function pieces(text, chunk, list, current) {
  const inside = list.filter((span) => span.start < chunk.end && span.end > chunk.start);
  const edges = new Set([chunk.start, chunk.end]);
  for (const { start, end } of inside) edges.add(Math.max(start, chunk.start)).add(Math.min(end, chunk.end));
  const cuts = [...edges].sort((one, other) => one - other);
  return cuts.slice(0, -1).map((start, index) => {
    const end = cuts[index + 1];
    const covering = inside.filter((span) => span.start < end && span.end > start);
    const piece = text.slice(start, end);
    return covering.length === 0 ? document.createTextNode(piece) : mark(piece, covering, start, current);
  });
}

function mark(piece, covering, start, current) {
  const [first, second] = covering;
  const begun = covering.filter((span) => span.start === start);
  const element = document.createElement("mark");
  element.className = `hl hl-${first.kind}`;
  if (second) element.classList.add(`hl-also-${second.kind}`);
  element.classList.toggle("hl-begins", begun.length > 0);
  element.classList.toggle("is-dropped", covering.every((span) => span.dropped));
  element.classList.toggle("is-current", covering.includes(current));
  element.dataset.findings = covering.map((span) => span.key).join(" ");
  element.dataset.label = labels(begun);
  element.title = labels(covering);
  element.textContent = piece;
  return element;
}

function labels(spans) {
  return [...new Set(spans.map((span) => span.label))].join(" + ");
}
