// The page of near-duplicates: texts are covered, the lease kept, the policy searched and the statement composed as on
// the console.

import { watchActivity } from "./activity.js";
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
    watchActivity({ stage: element.dataset.heartbeatUrl ? this : null });
    this.cover = new Cover(this);
    this.listen();
    this.form = this.find("[data-once] form");
    if (this.form !== null) this.fillIn();
  }

  /** Obey the key that shows the texts. */
  listen() {
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
      for (const [name, value] of this.effort()) formData.set(name, value);
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

  showError(message) {
    const place = this.find("[data-error]");
    if (place === null) this.announce(message);
    else place.textContent = message;
  }

  /** What the reviewer spent on this page so far, and how severe the gravest text beside the item is. */
  effort() {
    return [
      ["active_ms", Math.round(this.timers.activeMs)],
      ["seen_ms", Math.round(this.timers.seenMs)],
      ["gravest", this.element.dataset.gravest],
    ];
  }
}

new Once(document.querySelector(".cluster"));
