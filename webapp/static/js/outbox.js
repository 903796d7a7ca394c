// Answers on their way to the server. Each stays here with its item until the server has it, whatever happens.

import { clearTrouble, complain, root, showSaved } from "./frame.js";
import { post } from "./server.js";
import { fill, gettext, ngettext } from "./texts.js";

const savingSign = root.querySelector("[data-saving]");
const FIRST_RETRY_MS = 5000;
const LAST_RETRY_MS = 60_000;

export class Outbox {
  /**
   * `onBack(entry, message)`: the reviewer wants to see an item that was not saved. `onRetried()`: one was sent again.
   * `onSettled(entry)`: the server has this one, or will never take it.
   */
  constructor({ onBack, onRetried, onSettled }) {
    this.onBack = onBack;
    this.onRetried = onRetried;
    this.onSettled = onSettled;
    this.unsaved = new Set();
    window.addEventListener("beforeunload", (event) => {
      if (!this.isEmpty()) event.preventDefault();
    });
    window.addEventListener("online", () => {
      for (const entry of this.failing()) this.retry(entry);
    });
  }

  isEmpty() {
    return this.unsaved.size === 0;
  }

  failing() {
    return [...this.unsaved].filter((entry) => entry.retryTimer);
  }

  settled() {
    return Promise.allSettled([...this.unsaved].map((entry) => entry.promise));
  }

  /** Send the answer to the item of stage `kept`, and call `done` with what the server said. */
  save(kept, url, data, done) {
    const entry = { kept, url, data, done, tries: 0, retryTimer: null };
    this.unsaved.add(entry);
    entry.promise = this.send(entry);
    this.showState();
  }

  drop(entry) {
    this.stopRetrying(entry);
    this.unsaved.delete(entry);
    this.showState();
  }

  async send(entry) {
    entry.tries += 1;
    try {
      const answer = await post(entry.url, entry.data);
      this.unsaved.delete(entry);
      if (entry.tries > 1 && this.failing().length === 0) clearTrouble();
      entry.done(answer);
      this.onSettled(entry);
      if (answer.status === "kept") complain(answer.message);
    } catch (error) {
      this.fail(entry, error);
    }
    this.showState();
  }

  fail(entry, error) {
    if (error.status === "lost") {
      this.unsaved.delete(entry);
      this.onSettled(entry);
      complain(error.message);
      return;
    }
    const unreached = error.status === "failed";
    entry.refused = !unreached;
    if (unreached) this.retryLater(entry);
    if (unreached && entry.tries > 1 && entry.message === error.message) return;
    entry.message = error.message;
    const back = [gettext("Back to the item"), () => this.onBack(entry, error.message)];
    const again = [gettext("Try again"), () => this.retry(entry)];
    complain(fill(gettext("Not saved: %(why)s"), { why: error.message }), unreached ? [again, back] : [back]);
  }

  // The same data, with the same number of the submission: sent twice, it is stored once.
  retryLater(entry) {
    const delay = Math.min(FIRST_RETRY_MS * 2 ** (entry.tries - 1), LAST_RETRY_MS);
    entry.retryTimer = setTimeout(() => this.retry(entry), delay);
  }

  stopRetrying(entry) {
    clearTimeout(entry.retryTimer);
    entry.retryTimer = null;
  }

  retry(entry) {
    this.stopRetrying(entry);
    entry.promise = this.send(entry).then(() => this.onRetried());
    this.showState();
  }

  showState() {
    const { size } = this.unsaved;
    savingSign.hidden = size === 0;
    if (this.failing().length > 0) savingSign.textContent = navigator.onLine ? gettext("not saved, will retry") : gettext("offline, will retry");
    else if ([...this.unsaved].some((entry) => entry.refused)) savingSign.textContent = gettext("not saved");
    else savingSign.textContent = fill(ngettext("saving…", "saving %(size)s…", size), { size });
    showSaved(size === 0 ? gettext("saved") : "");
  }
}
