// The line of items: one on screen, the next one ready behind it.

import { announce, clearTrouble, complain, root, showMeter, showPaused, showWaiting } from "./frame.js";
import { renewFence } from "./renewal.js";
import { parseStage, post } from "./server.js";
import { Stage } from "./stage.js";
import { fill, gettext, term } from "./texts.js";

export class Line {
  /** `onNew(stage)` is called once for every item that comes on screen for the first time. */
  constructor(place, outbox, { onNew }) {
    this.place = place;
    this.outbox = outbox;
    this.onNew = onNew;
    this.stage = null;
    this.ahead = null;
    this.fetching = null;
    this.busy = false;
    this.restUrl = null;
    // Items that were on screen already: one that is put back and shown again keeps its state and its listeners.
    this.stages = new WeakMap();
  }

  start() {
    this.adopt(this.place.querySelector(".stage"));
    this.fetchAhead();
    setInterval(() => this.stage?.timers.tick(), 1000);
  }

  adopt(element) {
    this.stage = this.stages.get(element);
    if (this.stage === undefined) {
      this.stage = new Stage(element, { announce });
      this.stages.set(element, this.stage);
      this.onNew(this.stage);
    }
    this.stage.timers.tick();
  }

  /** Tell the server what is on screen and fetch what comes behind it; one request at a time. */
  fetchAhead() {
    this.fetching ??= this.requestAhead().finally(() => {
      this.fetching = null;
    });
    return this.fetching;
  }

  async requestAhead() {
    const data = new FormData();
    const shown = this.stage;
    if (shown) {
      data.append("shown", shown.element.dataset.slot);
      data.append("token", shown.element.dataset.token);
    }
    try {
      const answer = await post(root.dataset.aheadUrl, data);
      showWaiting(answer.waiting);
      showPaused(answer.paused);
      showMeter(answer.meter);
      this.restUrl = answer.rest_url;
      if (answer.lease_seconds) shown?.timers.extendLease(answer.lease_seconds);
      this.setAhead(answer.html ? parseStage(answer.html) : null);
      return true;
    } catch (error) {
      complain(error.message, [[gettext("Try again"), () => this.next()]]);
      return false;
    }
  }

  setAhead(element) {
    this.ahead = element;
    root.dataset.ahead = element === null ? "none" : "ready";
  }

  /** Put the next item on screen: at once when it waits ahead, else as soon as the server has one. */
  async next() {
    this.stage = null;
    if (this.ahead === null) await this.waitForNext();
    // The reviewer may have put an item back on screen while this waited.
    if (this.ahead === null || this.stage !== null) return;
    const element = this.ahead;
    this.setAhead(null);
    this.show(element);
    this.fetchAfterSaves();
  }

  async waitForNext() {
    this.busy = true;
    this.place.replaceChildren(waitingSign());
    await this.outbox.settled();
    await this.fetching;
    const reached = this.ahead !== null || (await this.fetchAhead());
    this.busy = false;
    if (reached && this.ahead === null && this.stage === null) this.finish();
  }

  /** Go on where nothing is on screen because answers could not be saved. */
  async resume() {
    if (this.stage === null && !this.busy) await this.next();
  }

  show(element) {
    this.place.replaceChildren(element);
    this.adopt(element);
    history.replaceState(null, "", element.dataset.url);
    element.focus({ preventScroll: true });
    window.scrollTo(0, 0);
    announce(fill(gettext("Next item. Severity: %(severity)s."), { severity: term(element.dataset.severity) }));
  }

  // A slot that was answered must be saved before its successor is claimed, or the server gives the same one back.
  async fetchAfterSaves() {
    await this.outbox.settled();
    if (this.stage !== null && this.ahead === null) await this.fetchAhead();
  }

  finish() {
    if (this.outbox.isEmpty()) window.location.assign(this.restUrl ?? root.dataset.doneUrl);
    else this.place.firstElementChild.textContent = gettext("Nothing more waits for you, but an answer is not saved yet.");
  }

  /** Put an item that could not be saved back on screen, as it was left; what was on screen waits ahead again. */
  async bringBack(entry, message) {
    clearTrouble();
    this.outbox.drop(entry);
    // Nothing is answered meanwhile: what is on screen may be this very item.
    this.busy = true;
    await this.fetching;
    this.busy = false;
    // What came meanwhile may be this very item: the server still counts it as not answered.
    const waiting = this.stage?.element ?? this.ahead;
    this.setAhead(waiting?.dataset.slot === entry.kept.element.dataset.slot ? null : waiting);
    this.stage = entry.kept;
    this.place.replaceChildren(this.stage.element);
    history.replaceState(null, "", this.stage.element.dataset.url);
    this.stage.showError(message);
    this.stage.element.focus({ preventScroll: true });
    const { stage } = this;
    // When it can not be had, the server says again what is new.
    stage.renewing = renewFence(stage)
      .catch(() => {})
      .finally(() => {
        stage.renewing = null;
      });
    await stage.renewing;
  }

  /** Show an item before the one that is on screen, which waits ahead again, as it was left. */
  async putOnTop(element) {
    await this.fetching;
    if (this.stage !== null) this.setAhead(this.stage.element);
    this.show(element);
  }
}

function waitingSign() {
  const sign = document.createElement("p");
  sign.className = "empty muted";
  sign.textContent = gettext("Fetching the next item…");
  return sign;
}
