// The keys and buttons that work on marks.

const within = (act) => ({ stage }) => stage.findings.inSpanMode() && void act(stage.findings);

/** What keys do among the findings; see COMMANDS of commands.js. */
export const SPAN_COMMANDS = {
  retype: within((findings) => findings.retype()),
  start_back: within((findings) => findings.moveEdge("start", -1)),
  start_on: within((findings) => findings.moveEdge("start", 1)),
  end_back: within((findings) => findings.moveEdge("end", -1)),
  end_on: within((findings) => findings.moveEdge("end", 1)),
  mark: ({ stage: { findings } }) => (findings.inSpanMode() || findings.selected() !== null) && void findings.mark(),
};

/** Held down, a key decides nothing; an edge may run. */
export const REPEATED = new Set(["start_back", "start_on", "end_back", "end_on"]);

// Layouts on which brackets need AltGr have the arrows.
export const ARROWS = { ArrowLeft: -1, ArrowRight: 1 };

/** Move the start of the current mark, with Shift its end; false in a row of choices, where arrows choose. */
export function moveByArrow(findings, event) {
  if (event.target instanceof HTMLInputElement) return false;
  findings.moveEdge(event.shiftKey ? "end" : "start", ARROWS[event.key]);
  return true;
}

/** Let the buttons above the output do what the keys do. */
export function listenToTools(findings, tools) {
  const acts = {
    next: () => findings.move(1),
    toggle: () => findings.toggle(),
    retype: () => findings.retype(),
    fit: () => findings.fit(),
    add: () => findings.mark(),
    "start-back": () => findings.moveEdge("start", -1),
    "start-on": () => findings.moveEdge("start", 1),
    "end-back": () => findings.moveEdge("end", -1),
    "end-on": () => findings.moveEdge("end", 1),
  };
  // A button that takes the focus takes the selection with it.
  for (const type of ["pointerdown", "mousedown"]) tools.addEventListener(type, (event) => event.preventDefault());
  tools.addEventListener("click", (event) => acts[event.target.closest("[data-span]")?.dataset.span]?.());
}
