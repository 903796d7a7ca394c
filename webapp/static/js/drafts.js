// What the reviewer fills in is kept on this device until the server has it, and comes back with its item.

import { drop, keep, recall } from "./draft_store.js";
import { showKept } from "./frame.js";

const DELAY_MS = 300;
// These fence an answer; they belong to the page, not to what was filled in.
const FENCES = new Set(["csrfmiddlewaretoken", "token", "version", "submission", "active_ms", "seen_ms", "keystrokes"]);

export class Drafts {
  constructor(line) {
    this.line = line;
    this.untouched = new WeakMap();
    this.sent = new WeakMap();
    this.timer = null;
    for (const type of ["input", "change", "keyup", "click"]) {
      document.addEventListener(type, () => this.schedule(), { passive: true });
    }
    // The last moment at which a page that is closed, or put away on a phone, hears of it.
    document.addEventListener("visibilitychange", () => this.keepCurrent());
    window.addEventListener("pagehide", () => this.keepCurrent());
  }

  schedule() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.keepCurrent(), DELAY_MS);
  }

  keepCurrent() {
    if (this.line.stage !== null) this.keep(this.line.stage);
  }

  /** Keep what is filled in, if anything is; with the number of its submission once it was sent. */
  keep(stage, submission = null) {
    const fields = filledIn(stage.form);
    const text = JSON.stringify(fields);
    if (text === this.untouched.get(stage)) drop(nameOf(stage));
    else if (text !== stage.keptText || submission) {
      stage.keptText = text;
      showKept(keep(nameOf(stage), { fields, submission }));
    }
  }

  forget(stage) {
    drop(nameOf(stage));
  }

  /** Give an item that comes on screen back what was filled in on this device and did not reach the server. */
  restore(stage) {
    this.untouched.set(stage, JSON.stringify(filledIn(stage.form)));
    const draft = recall(nameOf(stage));
    if (draft === null) return;
    fill(stage.form, draft.fields);
    stage.refresh();
    this.sent.set(stage, { text: JSON.stringify(filledIn(stage.form)), submission: draft.submission });
    this.showNotice(stage, draft);
  }

  /** Use the number under which the same answer was sent before the page was lost: it may be stored already. */
  numberAgain(stage) {
    const before = this.sent.get(stage);
    if (before?.submission && before.text === JSON.stringify(filledIn(stage.form))) {
      stage.form.elements.submission.value = before.submission;
    }
  }

  showNotice(stage, draft) {
    const notice = stage.find("[data-draft-notice]");
    notice.querySelector("time").textContent = new Date(draft.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    notice.querySelector("[data-was-sent]").hidden = !draft.submission;
    notice.querySelector("button").addEventListener("click", () => {
      stage.form.reset();
      stage.refresh();
      notice.hidden = true;
      this.keep(stage);
      stage.element.focus({ preventScroll: true });
    });
    notice.hidden = false;
  }
}

function nameOf(stage) {
  return stage.element.dataset.draft;
}

function filledIn(form) {
  return [...new FormData(form)].filter(([name, value]) => !FENCES.has(name) && typeof value === "string");
}

function fill(form, fields) {
  for (const input of form.elements) {
    if (!input.name || FENCES.has(input.name)) continue;
    const values = fields.filter(([name]) => name === input.name).map(([, value]) => value);
    if (input.type === "radio" || input.type === "checkbox") input.checked = values.includes(input.value) && !input.disabled;
    else if (values.length > 0) input.value = values[0];
  }
}
