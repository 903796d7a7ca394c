// Places in a text. The page counts UTF-16 units, readers count characters, the server counts code points.

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const PAIR = /[\ud800-\udbff][\udc00-\udfff]/g;

export class Places {
  constructor(text) {
    this.text = text;
    this.characters = segmenter.segment(text);
    this.pairs = Array.from(text.matchAll(PAIR), (match) => match.index);
  }

  /** Units to code points. */
  toPoints(unit) {
    return unit - this.pairsBefore((index) => index < unit);
  }

  /** Code points to units. */
  toUnits(point) {
    return point + this.pairsBefore((index, number) => index - number < point);
  }

  // How many pairs, from the first one on, fulfil what every pair before them does.
  pairsBefore(holds) {
    let low = 0;
    let high = this.pairs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.pairs[middle], middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Where the character before `unit` begins; 0 at the beginning. */
  back(unit) {
    return unit > 0 ? this.characters.containing(unit - 1).index : 0;
  }

  /** Where the character at `unit` ends; the end of the text at the end. */
  on(unit) {
    if (unit >= this.text.length) return this.text.length;
    const { index, segment } = this.characters.containing(unit);
    return index + segment.length;
  }

  /** The smallest whole characters that cover [start, end). */
  whole(start, end) {
    const from = start < this.text.length ? this.characters.containing(start).index : start;
    return [from, end > from ? this.on(end - 1) : end];
  }
}
