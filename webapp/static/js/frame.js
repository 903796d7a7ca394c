// What surrounds the item on the console: announcements, counters, and a line for trouble.

import { keepSession, session } from "./draft_store.js";
import { gettext } from "./texts.js";

export const root = document.getElementById("console");


const savedSign = root.querySelector("[data-saved]");
const trouble = document.getElementById("trouble");
const announcer = document.getElementById("announcer");
const pausedSign = root.querySelector("[data-paused]");

export function announce(text) {
  announcer.textContent = text;
}

export function showWaiting(count) {
  if (count !== null && count !== undefined) root.querySelector("[data-waiting]").textContent = count;
}

/** Count answers of today and of this session, and the time at work on them; less when one is taken back. */
export function countToday(more, activeMs = 0) {
  const today = root.querySelector("[data-today]");
  today.textContent = Number(today.textContent) + more;
  const figures = session();
  keepSession({ answers: Math.max(0, figures.answers + more), activeMs: figures.activeMs + activeMs });
  showSession();
}

export function showSession() {
  const { answers, activeMs } = session();
  root.querySelector("[data-session]").textContent = answers;
  root.querySelector("[data-session-time]").textContent = `${Math.round(activeMs / 60_000)} min`;
}

/** Say in the strip that all is saved, or what the device keeps; "" says nothing. */
export function showSaved(text) {
  savedSign.hidden = text === "";
  savedSign.textContent = text;
}

export function showKept(kept) {
  showSaved(kept ? gettext("draft kept") : gettext("draft not kept: no room"));
}

/** Show the reviewer's exposure and when a break is due: the server's HTML. */
export function showMeter(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  root.querySelector("[data-meter]").replaceChildren(...page.body.childNodes);
}

export function showPaused(paused) {
  if (pausedSign.hidden === !paused) return;
  pausedSign.hidden = !paused;
  announce(paused ? gettext("A lead paused this queue. What you have can still be submitted.") : gettext("This queue goes on."));
}

/** Say what went wrong, with a button for each `[label, function]`; without any, one that takes the words away. */
export function complain(message, actions = [[gettext("All right"), clearTrouble]]) {
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
