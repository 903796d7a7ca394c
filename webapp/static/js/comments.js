// Comments on the item on screen: on the words that are marked in the output, if any are.

import { isSubmitChord } from "./keys.js";
import { post } from "./server.js";
import { gettext } from "./texts.js";

export class Comments {
  constructor(stage) {
    this.stage = stage;
    this.dialog = stage.find("[data-comment]");
    this.form = this.dialog.querySelector("form");
    this.sending = false;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.form.addEventListener("keydown", (event) => {
      if (!isSubmitChord(event)) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    stage.find("[data-open-comment]").addEventListener("click", () => this.open());
  }

  open() {
    const { findings } = this.stage;
    const marked = findings.selected();
    if (marked !== null) {
      const { places } = findings.spans;
      this.form.elements.quote.value = places.text.slice(...marked);
      this.form.elements.near.value = places.toPoints(marked[0]);
    }
    this.stage.openDialog("[data-comment]");
  }

  async send() {
    if (this.sending) return;
    this.sending = true;
    try {
      const answer = await post(this.form.action, new FormData(this.form));
      this.show(answer);
    } catch (error) {
      this.showError(error.message);
    }
    this.sending = false;
  }

  show({ html, key, message }) {
    const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-comments]");
    this.stage.find("[data-comments]").replaceWith(document.importNode(fresh, true));
    this.stage.cover.refresh();
    this.form.reset();
    this.form.elements.comment.value = key;
    this.form.elements.near.value = "";
    this.showError("");
    this.dialog.close();
    this.stage.announce(message || gettext("The comment is saved."));
    if (message) this.stage.showError(message);
  }

  showError(message) {
    this.form.querySelector("[data-comment-error]").textContent = message;
  }
}
