// Answers on their way to the server. Each stays here with its item until the server has it, whatever happens.

import { clearTrouble, complain, root } from "./frame.js";
import { post } from "./server.js";

const savingSign = root.querySelector("[data-saving]");

export class Outbox {
  /** `onBack(entry, message)`: the reviewer wants to see an item that was not saved; `onRetried()`: one was sent again. */
  constructor({ onBack, onRetried }) {
    this.onBack = onBack;
    this.onRetried = onRetried;
    this.unsaved = new Set();
    window.addEventListener("beforeunload", (event) => {
      if (!this.isEmpty()) event.preventDefault();
    });
  }

  isEmpty() {
    return this.unsaved.size === 0;
  }

  settled() {
    return Promise.allSettled([...this.unsaved].map((entry) => entry.promise));
  }

  /** Send the answer to the item of stage `kept`, and call `done` with what the server said. */
  save(kept, url, data, done) {
    const entry = { kept, url, data, done };
    this.unsaved.add(entry);
    entry.promise = this.send(entry);
    this.showState();
  }

  drop(entry) {
    this.unsaved.delete(entry);
    this.showState();
  }

  async send(entry) {
    try {
      const answer = await post(entry.url, entry.data);
      this.unsaved.delete(entry);
      entry.done(answer);
      if (answer.status === "kept") complain(answer.message);
    } catch (error) {
      this.fail(entry, error);
    }
    this.showState();
  }

  fail(entry, error) {
    if (error.status === "lost") {
      this.unsaved.delete(entry);
      complain(error.message);
      return;
    }
    const back = ["Back to the item", () => this.onBack(entry, error.message)];
    const again = ["Try again", () => this.retry(entry)];
    complain(`Not saved: ${error.message}`, error.status === "failed" ? [again, back] : [back]);
  }

  retry(entry) {
    clearTrouble();
    entry.promise = this.send(entry).then(() => this.onRetried());
    this.showState();
  }

  showState() {
    const { size } = this.unsaved;
    savingSign.hidden = size === 0;
    savingSign.textContent = size === 1 ? "saving…" : `saving ${size}…`;
  }
}
