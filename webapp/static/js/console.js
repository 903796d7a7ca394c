// The console: one item on screen, the next one ready behind it, answers saved in the background.

import { watchActivity } from "./activity.js";
import { Answers } from "./answers.js";
import { listenToKeys } from "./commands.js";
import { Drafts } from "./drafts.js";
import { root, showPaused, showSession } from "./frame.js";
import { Line } from "./line.js";
import { Outbox } from "./outbox.js";
import { isPaused } from "./pause.js";
import { UndoBar } from "./undo.js";

const outbox = new Outbox({
  onBack: (entry, message) => line.bringBack(entry, message),
  onRetried: () => line.resume(),
  onSettled: (entry) => drafts.forget(entry.kept),
});
const line = new Line(document.getElementById("stage-place"), outbox, {
  onNew: (stage) => {
    answers.take(stage);
    drafts.restore(stage);
  },
});
const drafts = new Drafts(line);
const answers = new Answers(line, outbox, drafts, new UndoBar(root.querySelector("[data-undo]")));

answers.watchStop(root.querySelector("[data-stop]"));
showSession();
watchActivity(line, { isPaused, showPaused });
listenToKeys(line, answers);
line.start();
