// The page of near-duplicates: texts are covered, the policy searched and the statement composed as on the console.

import { Cover } from "./cover.js";
import { isTaken, nameOf } from "./keys.js";
import { PolicySearch } from "./policy.js";
import { Statement } from "./statement.js";
import { Timers } from "./timers.js";

const announcer = document.getElementById("announcer");

class Once {
  constructor(element) {
    this.element = element;
    this.timers = new Timers(this);
    this.watch();
    this.cover = new Cover(this);
    this.form = this.find("[data-once] form");
    if (this.form !== null) this.fillIn();
  }

  /** Count the time at work and uncovered, and obey the key that shows the texts. */
  watch() {
    for (const type of ["keydown", "pointerdown", "wheel", "input"]) {
      document.addEventListener(type, () => this.timers.touched(type === "keydown"), { passive: true });
    }
    document.addEventListener("keydown", (event) => {
      if (event.repeat || isTaken(event) || nameOf(event) !== this.element.dataset.revealKey) return;
      event.preventDefault();
      this.cover.press(event);
    });
  }

  fillIn() {
    new PolicySearch(this);
    const statement = new Statement(this);
    this.form.addEventListener("change", () => statement.follow());
    this.form.addEventListener("formdata", ({ formData }) => {
      formData.set("active_ms", Math.round(this.timers.activeMs));
      formData.set("seen_ms", Math.round(this.timers.seenMs));
      formData.set("keystrokes", this.timers.keystrokes);
    });
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  all(selector) {
    return [...this.element.querySelectorAll(selector)];
  }

  announce(text) {
    announcer.textContent = text;
  }
}

new Once(document.querySelector(".cluster"));
