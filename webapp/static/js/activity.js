// Whether the reviewer is at work: counted for the answer, and told to the server, which extends the lease.

import { csrfToken } from "./csrf.js";
import { post } from "./server.js";
import { gettext } from "./texts.js";

const HEARTBEAT_MS = 30_000;

const NEITHER = { isPaused: () => false, showPaused() {} };

/**
 * Watch keys and pointer from now on; listen before the commands do, or the key that submits is not counted.
 * `isPaused()`: the reviewer blanked the screen; `showPaused(paused)`: a lead paused the queue, or not.
 */
export function watchActivity(line, { isPaused, showPaused } = NEITHER) {
  let inputSince = false;

  for (const type of ["keydown", "pointerdown", "wheel", "input"]) {
    document.addEventListener(type, () => {
      if (isPaused()) {
        line.stage?.timers.rest();
        return;
      }
      inputSince = true;
      line.stage?.timers.touched(type === "keydown");
    }, { passive: true });
  }

  setInterval(() => {
    if (!inputSince || line.stage === null || document.hidden) return;
    inputSince = false;
    beat(line, showPaused);
  }, HEARTBEAT_MS);

  // A covered text counts from the moment in which it is shown, an item that is left unanswered until it is left.
  document.addEventListener("revealed", () => line.stage !== null && beat(line, showPaused, "revealed"));
  document.addEventListener("visibilitychange", () => document.hidden && line.stage !== null && tellLeaving(line.stage));
}

function told(stage, note) {
  const data = new FormData();
  data.append("token", stage.element.dataset.token);
  for (const [name, value] of stage.effort()) data.append(name, value);
  if (note) data.append(note, "1");
  return data;
}

function tellLeaving(stage) {
  const data = told(stage, "leaving");
  data.append("csrfmiddlewaretoken", csrfToken());
  fetch(stage.element.dataset.heartbeatUrl, { method: "POST", body: data, keepalive: true, redirect: "manual" }).catch(() => {});
}

async function beat(line, showPaused, note = "") {
  const { stage } = line;
  const data = told(stage, note);
  try {
    const answer = await post(stage.element.dataset.heartbeatUrl, data);
    stage.timers.extendLease(answer.lease_seconds);
    showPaused(answer.paused);
  } catch (error) {
    if (error.status === "lost" && stage === line.stage) stage.showError(`${error.message} ${gettext("You can still submit: your answer is kept.")}`);
  }
}
