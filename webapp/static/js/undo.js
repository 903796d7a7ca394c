// The offer to take the newest decision back: a form that is there while its time runs.

import { term } from "./texts.js";

export class UndoBar {
  constructor(form) {
    this.form = form;
    this.left = form.querySelector("[data-undo-left]");
    this.ends = 0;
    this.ticker = null;
    if (!form.hidden) this.run(Number(form.dataset.seconds));
  }

  /** Offer to take back what the server just decided: `{url, seconds, outcome}`. */
  offer({ url, seconds, outcome }) {
    this.form.action = url;
    const sign = this.form.querySelector("[data-undo-outcome]");
    sign.textContent = term(outcome);
    sign.className = `outcome outcome-${outcome}`;
    this.form.hidden = false;
    this.run(seconds);
  }

  run(seconds) {
    this.ends = performance.now() + 1000 * seconds;
    clearInterval(this.ticker);
    this.ticker = setInterval(() => this.tick(), 250);
    this.tick();
  }

  isOpen() {
    return !this.form.hidden;
  }

  close() {
    clearInterval(this.ticker);
    this.form.hidden = true;
  }

  tick() {
    const left = Math.ceil((this.ends - performance.now()) / 1000);
    if (left > 0) this.left.textContent = `${left} s`;
    else this.close();
  }
}
