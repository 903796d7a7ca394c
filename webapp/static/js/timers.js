// The time of an item: how long it is the reviewer's, when it is due, and how long they worked on it.

import { fill, gettext } from "./texts.js";

const REST_MS = 30_000;
const WARNING_MS = 60_000;

export class Timers {
  constructor(stage) {
    this.stage = stage;
    this.keystrokes = 0;
    this.activeMs = 0;
    this.seenMs = 0;
    this.lastInput = null;
    this.warned = false;
    this.leaseEnds = performance.now() + 1000 * Number(stage.element.dataset.leaseSeconds);
    const due = stage.find("[data-sla]");
    this.due = due ? performance.now() + 1000 * Number(due.dataset.sla) : null;
  }

  /** Note that the reviewer did something. Longer gaps are rest, not work. */
  touched(isKey) {
    const now = performance.now();
    if (this.lastInput !== null) this.count(Math.min(now - this.lastInput, REST_MS));
    this.lastInput = now;
    if (isKey) this.keystrokes += 1;
  }

  count(ms) {
    this.activeMs += ms;
    if (this.stage.cover.isShown) this.seenMs += ms;
  }

  /** Begin to count anew with the next input: the reviewer paused. */
  rest() {
    this.lastInput = null;
  }

  extendLease(seconds) {
    this.leaseEnds = performance.now() + 1000 * seconds;
    this.warned = false;
  }

  tick() {
    const now = performance.now();
    this.showLease(this.leaseEnds - now);
    if (this.due !== null) this.showDue(now - this.due);
  }

  showLease(left) {
    const lease = this.stage.find("[data-lease]");
    lease.querySelector("[data-clock]").textContent = left > 0 ? clock(left) : gettext("over");
    lease.classList.toggle("is-soon", left < WARNING_MS);
    if (left >= WARNING_MS || this.warned) return;
    this.warned = true;
    this.stage.announce(gettext("Less than a minute is left of your time for this item. Any input extends it."));
  }

  showDue(late) {
    const due = this.stage.find("[data-sla]");
    due.querySelector("[data-clock]").textContent = late > 0 ? fill(gettext("%(time)s ago"), { time: clock(late) }) : fill(gettext("in %(time)s"), { time: clock(-late) });
    due.classList.toggle("is-bad", late > 0);
  }
}

function clock(ms) {
  const seconds = Math.floor(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} d`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return `${minutes}:${String(seconds % 60).padStart(2, "0")}`;
}
