// The dashboard polls by htmx. Here: when it must not, and what is said when the server does not answer.

import { gettext } from "./texts.js";
const board = document.querySelector("[data-board]");
const pause = document.querySelector("[data-pause]");
const stale = document.querySelector("[data-stale]");

const paused = () => pause.getAttribute("aria-pressed") === "true";

pause.addEventListener("click", () => {
  pause.setAttribute("aria-pressed", String(!paused()));
  pause.textContent = paused() ? gettext("Go on updating") : gettext("Pause updates");
  if (!paused()) document.dispatchEvent(new Event("visibilitychange"));
});

board.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden || paused()) event.preventDefault();
});

board.addEventListener("htmx:beforeSwap", (event) => {
  // Signed out meanwhile: the answer is another page, which is no part of this one.
  if (new URL(event.detail.xhr.responseURL).pathname !== location.pathname) {
    event.preventDefault();
    location.reload();
  }
});

board.addEventListener("htmx:afterRequest", (event) => {
  stale.hidden = event.detail.successful;
});
