// A word diff. Words, runs of spaces and single marks are the units; texts that differ too much are shown as replaced.

const UNIT = /\p{L}[\p{L}\p{M}\p{N}'’_-]*|\p{N}+|\s+|./gsu;
const MAX_EDITS = 800;

/** Return [{kind: "same" | "del" | "ins", text}] that turns `before` into `after`. */
export function wordDiff(before, after) {
  const left = before.match(UNIT) ?? [];
  const right = after.match(UNIT) ?? [];
  let start = 0;
  while (start < left.length && start < right.length && left[start] === right[start]) start++;
  let end = 0;
  while (end < left.length - start && end < right.length - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const parts = [];
  push(parts, "same", left.slice(0, start));
  middle(parts, left.slice(start, left.length - end), right.slice(start, right.length - end));
  push(parts, "same", left.slice(left.length - end));
  return joined(parts);
}

// Changed words with only space between them are one change.
function joined(parts) {
  const result = [];
  let del = "";
  let ins = "";
  const flush = () => {
    push(result, "del", del ? [del] : []);
    push(result, "ins", ins ? [ins] : []);
    del = ins = "";
  };
  parts.forEach(({ kind, text }, index) => {
    if (kind === "del") del += text;
    else if (kind === "ins") ins += text;
    else if ((del || ins) && index < parts.length - 1 && text.trim() === "") {
      del += text;
      ins += text;
    } else {
      flush();
      push(result, "same", [text]);
    }
  });
  flush();
  return result;
}

function push(parts, kind, units) {
  if (units.length === 0) return;
  const last = parts.at(-1);
  if (last && last.kind === kind) last.text += units.join("");
  else parts.push({ kind, text: units.join("") });
}

function middle(parts, left, right) {
  const steps = left.length && right.length ? shortest(left, right) : null;
  if (steps === null) {
    push(parts, "del", left);
    push(parts, "ins", right);
    return;
  }
  for (const [kind, unit] of steps) push(parts, kind, [unit]);
}

// Myers' greedy algorithm; null when more than MAX_EDITS edits are needed.
function shortest(left, right) {
  const limit = Math.min(MAX_EDITS, left.length + right.length);
  const furthest = new Map([[1, 0]]);
  const trace = [];
  for (let edits = 0; edits <= limit; edits++) {
    trace.push(new Map(furthest));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = goesDown(furthest, diagonal, edits) ? furthest.get(diagonal + 1) : furthest.get(diagonal - 1) + 1;
      while (x < left.length && x - diagonal < right.length && left[x] === right[x - diagonal]) x++;
      furthest.set(diagonal, x);
      if (x >= left.length && x - diagonal >= right.length) return walkBack(trace, left, right);
    }
  }
  return null;
}

function goesDown(furthest, diagonal, edits) {
  return diagonal === -edits || (diagonal !== edits && furthest.get(diagonal - 1) < furthest.get(diagonal + 1));
}

function walkBack(trace, left, right) {
  const steps = [];
  let x = left.length;
  let y = right.length;
  for (let edits = trace.length - 1; edits >= 0; edits--) {
    const furthest = trace[edits];
    const diagonal = x - y;
    const from = goesDown(furthest, diagonal, edits) ? diagonal + 1 : diagonal - 1;
    const fromX = furthest.get(from);
    const fromY = fromX - from;
    while (x > fromX && y > fromY && x > 0 && y > 0) steps.push(["same", left[(x--, y--, x)]]);
    if (edits === 0) break;
    if (x === fromX) steps.push(["ins", right[--y]]);
    else steps.push(["del", left[--x]]);
  }
  return steps.reverse();
}

/** Fill `place` with the diff; texts become text nodes, never markup. Returns how many words went and came. */
export function showDiff(place, parts) {
  const counts = { del: 0, ins: 0 };
  const nodes = parts.map(({ kind, text }) => {
    if (kind === "same") return document.createTextNode(text);
    counts[kind] += (text.match(/[\p{L}\p{N}]+/gu) ?? []).length;
    const node = document.createElement(kind);
    node.textContent = text;
    return node;
  });
  place.replaceChildren(...nodes);
  return counts;
}
