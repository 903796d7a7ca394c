// What surrounds the item on the console: announcements, counters, and a line for trouble.

export const root = document.getElementById("console");

const trouble = document.getElementById("trouble");
const announcer = document.getElementById("announcer");
const pausedSign = root.querySelector("[data-paused]");

export function announce(text) {
  announcer.textContent = text;
}

export function showWaiting(count) {
  if (count !== null && count !== undefined) root.querySelector("[data-waiting]").textContent = count;
}

export function countToday(more) {
  const today = root.querySelector("[data-today]");
  today.textContent = Number(today.textContent) + more;
}

export function showPaused(paused) {
  if (pausedSign.hidden === !paused) return;
  pausedSign.hidden = !paused;
  announce(paused ? "A lead paused this queue. What you have can still be submitted." : "This queue goes on.");
}

/** Say what went wrong, with a button for each `[label, function]`; without any, one that takes the words away. */
export function complain(message, actions = [["All right", clearTrouble]]) {
  const text = document.createElement("span");
  text.textContent = message;
  const buttons = actions.map(([label, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  });
  trouble.replaceChildren(text, ...buttons);
}

export function clearTrouble() {
  trouble.replaceChildren();
}
