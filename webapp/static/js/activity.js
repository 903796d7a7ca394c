// Whether the reviewer is at work: counted for the answer, and told to the server, which extends the lease.

import { showPaused } from "./frame.js";
import { isPaused } from "./pause.js";
import { post } from "./server.js";
import { gettext } from "./texts.js";

const HEARTBEAT_MS = 30_000;

/** Watch keys and pointer from now on; listen before the commands do, or the key that submits is not counted. */
export function watchActivity(line) {
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
    beat(line);
  }, HEARTBEAT_MS);
}

async function beat(line) {
  const { stage } = line;
  const data = new FormData();
  data.append("token", stage.element.dataset.token);
  try {
    const answer = await post(stage.element.dataset.heartbeatUrl, data);
    stage.timers.extendLease(answer.lease_seconds);
    showPaused(answer.paused);
  } catch (error) {
    if (error.status === "lost" && stage === line.stage) stage.showError(`${error.message} ${gettext("You can still submit: your answer is kept.")}`);
  }
}
