// What the reviewer does with the item on screen: answer it, pass it on, take the last decision back.

import { announce, complain, countToday } from "./frame.js";
import { parseStage, post } from "./server.js";
import { gettext } from "./texts.js";

export class Answers {
  constructor(line, outbox, drafts, undoBar) {
    this.line = line;
    this.outbox = outbox;
    this.drafts = drafts;
    this.undoBar = undoBar;
    this.undoing = false;
    undoBar.form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!line.busy) this.undo();
    });
  }

  /** Tell with the form that ends the work what was spent on the item that is given back. */
  watchStop(form) {
    form.addEventListener("formdata", (event) => {
      for (const [name, value] of this.line.stage?.effort() ?? []) event.formData.append(name, value);
    });
  }

  /** Send the forms of a new item from here instead of loading pages. */
  take(stage) {
    stage.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    for (const form of stage.all("[data-pass-on]")) {
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        form.closest("dialog").close();
        this.passOn(form, event.submitter);
      });
    }
  }

  async submit() {
    const { stage, busy } = this.line;
    if (busy || stage === null) return;
    if (stage.renewing) {
      // What is on its way is what the server would refuse the answer for.
      await stage.renewing;
      if (this.line.stage !== stage) return;
    }
    const missing = stage.missing();
    if (missing) {
      stage.showError(missing);
      announce(missing);
      return;
    }
    this.drafts.numberAgain(stage);
    this.drafts.keep(stage, stage.form.elements.submission.value);
    this.outbox.save(stage, stage.form.action, stage.formData(), (answer) => {
      countToday(1, stage.timers.activeMs);
      if (answer.undo) this.undoBar.offer(answer.undo);
    });
    this.line.next();
  }

  passOn(form, submitter) {
    const { stage, busy } = this.line;
    if (busy || stage === null) return;
    const data = new FormData(form, submitter);
    for (const [name, value] of stage.effort()) data.append(name, value);
    this.outbox.save(stage, form.action, data, (answer) => {
      announce(form.dataset.passOn);
      if (answer.undo) this.undoBar.offer(answer.undo);
    });
    this.line.next();
  }

  /** Take the newest decision back and put its item on screen. */
  async undo() {
    if (this.undoing) return;
    this.undoing = true;
    await this.outbox.settled();
    if (this.undoBar.isOpen()) await this.takeBack();
    else announce(gettext("There is nothing to take back."));
    this.undoing = false;
  }

  async takeBack() {
    try {
      const answer = await post(this.undoBar.form.action, new FormData());
      this.undoBar.close();
      if (answer.status === "undone") countToday(-1);
      if (!answer.html) {
        complain(answer.message);
        return;
      }
      await this.line.putOnTop(parseStage(answer.html));
      announce(gettext("Taken back. Nothing went out; choose again."));
    } catch (error) {
      if (error.status === "late") this.undoBar.close();
      complain(error.message);
    }
  }
}
