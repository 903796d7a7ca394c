// The marked places of one output: what rules found, as the reviewer moved and renamed it, and what they added.
// Offsets are UTF-16 units here; the form has code points.

let added = 0;

export class Spans {
  constructor(places) {
    this.places = places;
    this.list = [];
  }

  get(key) {
    return this.list.find((span) => span.key === key);
  }

  /** Take in a finding of the output; `start` and `end` are code points. */
  find(key, { start, end, label, kind }) {
    const { places } = this;
    const place = { start: places.toUnits(start), end: Math.min(places.toUnits(end), places.text.length), label, kind };
    this.put({ key, finding: Number(key), ...place, found: place, dropped: false });
  }

  /** Add a place that no rule found; null when it is marked so already. */
  add(start, end, label, kind) {
    if (this.list.some((span) => span.start === start && span.end === end && span.label === label)) return null;
    added += 1;
    const span = { key: `new-${added}`, finding: null, start, end, label, kind, found: null, dropped: false };
    this.put(span);
    return span;
  }

  put(span) {
    this.list.push(span);
    this.list.sort((one, other) => one.start - other.start || other.end - one.end);
  }

  remove(span) {
    this.list.splice(this.list.indexOf(span), 1);
  }

  /** Move an edge by one character; false when it can not go there. */
  moveEdge(span, edge, step) {
    const to = step < 0 ? this.places.back(span[edge]) : this.places.on(span[edge]);
    const [start, end] = edge === "start" ? [to, span.end] : [span.start, to];
    if (to === span[edge] || start >= end) return false;
    this.place(span, start, end);
    return true;
  }

  place(span, start, end) {
    Object.assign(span, { start, end });
    this.list.sort((one, other) => one.start - other.start || other.end - one.end);
  }

  isChanged({ found, start, end, label }) {
    return found !== null && (found.start !== start || found.end !== end || found.label !== label);
  }

  /** What of it the server does not know, as its form wants it; "" when there is nothing. */
  asField() {
    const { places } = this;
    const told = this.list.filter((span) => !span.dropped && (span.finding === null || this.isChanged(span)));
    const spans = told.map(({ finding, start, end, label }) => ({
      start: places.toPoints(start),
      end: places.toPoints(end),
      label,
      finding,
    }));
    return spans.length > 0 ? JSON.stringify(spans) : "";
  }
}
