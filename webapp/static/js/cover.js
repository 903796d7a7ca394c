// Severe texts open covered. A held key shows them while it is held; the button, or a key for who can not hold one,
// until it is pressed again.

import { nameOf } from "./keys.js";
import { gettext } from "./texts.js";

export class Cover {
  constructor(stage) {
    this.stage = stage;
    this.collect();
    this.button = stage.find("[data-reveal]");
    this.stays = false;
    this.wasShown = false;
    this.isShown = this.covers.length === 0;
    this.button?.addEventListener("click", () => this.toggle());
  }

  collect() {
    this.texts = this.stage.all("[data-covered]");
    this.covers = this.stage.all("[data-cover]");
  }

  /** Cover or show what came into the page since, like the rest. */
  refresh() {
    this.collect();
    this.show(this.stage.element.classList.contains("is-revealed"));
  }

  toggle() {
    this.stays = !this.stays;
    this.show(this.stays);
    this.stage.announce(this.stays ? gettext("Texts shown.") : gettext("Texts covered."));
  }

  /** Show the texts for as long as the key of `event` is held, or as the reviewer has it, until the next press. */
  press(event) {
    if (this.stage.element.closest("[data-reveal]").dataset.reveal === "toggle") this.toggle();
    else if (!this.stays) this.hold(nameOf(event));
  }

  hold(key) {
    const held = new AbortController();
    const end = () => {
      held.abort();
      this.show(this.stays);
    };
    this.show(true);
    document.addEventListener("keyup", (event) => nameOf(event) === key && end(), { signal: held.signal });
    window.addEventListener("blur", end, { signal: held.signal });
  }

  /** Show the texts because the reviewer works in them. */
  keepShown() {
    this.stays = true;
    this.show(true);
  }

  show(shown) {
    // Until now the texts were as they were: what was counted since the last input belongs to that.
    this.stage.timers.touched(false);
    this.isShown = shown || this.covers.length === 0;
    for (const text of this.texts) text.hidden = !shown;
    for (const cover of this.covers) cover.hidden = shown;
    this.button?.setAttribute("aria-pressed", String(this.stays));
    this.stage.element.classList.toggle("is-revealed", shown);
    if (!shown || this.wasShown || this.covers.length === 0) return;
    this.wasShown = true;
    document.dispatchEvent(new Event("revealed"));
  }
}
