// The console: one item on screen, the next one ready behind it, answers saved in the background.

import { isControl, isSubmitChord, isTaken } from "./keys.js";
import { parseStage, post } from "./server.js";
import { Stage } from "./stage.js";
import { UndoBar } from "./undo.js";

const HEARTBEAT_MS = 30_000;
const VERDICT_KEYS = { a: "release", r: "redact", b: "block", u: "unsure" };

const root = document.getElementById("console");
const place = document.getElementById("stage-place");
const trouble = document.getElementById("trouble");
const announcer = document.getElementById("announcer");
const savingSign = root.querySelector("[data-saving]");
const pausedSign = root.querySelector("[data-paused]");
const undoBar = new UndoBar(root.querySelector("[data-undo]"));

let stage = null;
let ahead = null;
let fetching = null;
let busy = false;
let inputSince = false;
let undoing = false;
const unsaved = new Set();
// Items that were on screen already: one that is put back and shown again keeps its state and its listeners.
const stages = new WeakMap();

function announce(text) {
  announcer.textContent = text;
}

function count(selector, value) {
  const node = root.querySelector(selector);
  if (value !== null && value !== undefined) node.textContent = value;
}

function showPaused(paused) {
  if (pausedSign.hidden === !paused) return;
  pausedSign.hidden = !paused;
  announce(paused ? "A lead paused this queue. What you have can still be submitted." : "This queue goes on.");
}

function countToday(more) {
  count("[data-today]", Number(root.querySelector("[data-today]").textContent) + more);
}

// Items

function adopt(element) {
  stage = stages.get(element);
  if (stage === undefined) enliven(element);
  stage.timers.tick();
}

function enliven(element) {
  stage = new Stage(element, { announce });
  stages.set(element, stage);
  stage.form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  for (const form of element.querySelectorAll("[data-pass-on]")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      form.closest("dialog").close();
      passOn(form, event.submitter);
    });
  }
}

/** Tell the server what is on screen and fetch what comes behind it; one request at a time. */
function fetchAhead() {
  fetching ??= requestAhead().finally(() => {
    fetching = null;
  });
  return fetching;
}

async function requestAhead() {
  const data = new FormData();
  const shown = stage;
  if (shown) {
    data.append("shown", shown.element.dataset.slot);
    data.append("token", shown.element.dataset.token);
  }
  try {
    const answer = await post(root.dataset.aheadUrl, data);
    count("[data-waiting]", answer.waiting);
    showPaused(answer.paused);
    if (answer.lease_seconds) shown?.timers.extendLease(answer.lease_seconds);
    setAhead(answer.html ? parseStage(answer.html) : null);
    return true;
  } catch (error) {
    complain(error.message, [["Try again", () => next()]], stage === null);
    return false;
  }
}

function setAhead(element) {
  ahead = element;
  root.dataset.ahead = element === null ? "none" : "ready";
}

/** Put the next item on screen: at once when it waits ahead, else as soon as the server has one. */
async function next() {
  stage = null;
  if (ahead === null) {
    busy = true;
    place.replaceChildren(waitingSign());
    await Promise.allSettled([...unsaved].map((save) => save.promise));
    await fetching;
    const reached = ahead !== null || (await fetchAhead());
    busy = false;
    if (!reached) return;
    if (ahead === null) {
      finish();
      return;
    }
  }
  const element = ahead;
  setAhead(null);
  show(element);
  fetchAfterSaves();
}

function show(element) {
  place.replaceChildren(element);
  adopt(element);
  history.replaceState(null, "", element.dataset.url);
  element.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  announce(`Next item: ${element.dataset.severity} severity.`);
}

// A slot that was answered must be saved before its successor is claimed, or the server gives the same one back.
async function fetchAfterSaves() {
  await Promise.allSettled([...unsaved].map((save) => save.promise));
  if (stage !== null && ahead === null) await fetchAhead();
}

function waitingSign() {
  const sign = document.createElement("p");
  sign.className = "empty muted";
  sign.textContent = "Fetching the next item…";
  return sign;
}

function finish() {
  if (unsaved.size === 0) window.location.assign(root.dataset.doneUrl);
  else place.firstElementChild.textContent = "Nothing more waits for you, but an answer is not saved yet.";
}

// Answers

function submit() {
  if (busy || stage === null) return;
  if (!stage.outcome()) {
    stage.showError("Choose what happens to the output first.");
    announce("Choose what happens to the output first.");
    return;
  }
  const kept = stage;
  save(kept, kept.form.action, kept.formData(), (answer) => {
    countToday(1);
    if (answer.undo) undoBar.offer(answer.undo);
  });
  next();
}

function passOn(form, submitter) {
  if (busy || stage === null) return;
  save(stage, form.action, new FormData(form, submitter), () => announce(form.dataset.passOn));
  next();
}

/** Send an answer. It stays in `unsaved` with its item until the server has it, whatever happens. */
function save(kept, url, data, done) {
  const entry = { kept, url, data, done };
  unsaved.add(entry);
  entry.promise = send(entry);
  showSaving();
}

async function send(entry) {
  try {
    const answer = await post(entry.url, entry.data);
    unsaved.delete(entry);
    entry.done(answer);
    if (answer.status === "kept") complain(answer.message, [["All right", clearTrouble]]);
  } catch (error) {
    const back = ["Back to the item", () => bringBack(entry, error.message)];
    const actions = error.status === "failed" ? [["Try again", () => retry(entry)], back] : [back];
    if (error.status === "lost") {
      unsaved.delete(entry);
      complain(error.message, [["All right", clearTrouble]]);
    } else complain(`Not saved: ${error.message}`, actions);
  }
  showSaving();
}

function retry(entry) {
  clearTrouble();
  entry.promise = send(entry).then(() => {
    if (stage === null && !busy) return next();
  });
  showSaving();
}

/** Put an item that could not be saved back on screen, as it was left; what was on screen waits ahead again. */
async function bringBack(entry, message) {
  clearTrouble();
  unsaved.delete(entry);
  await fetching;
  // What came meanwhile may be this very item: the server still counts it as not answered.
  const waiting = stage?.element ?? ahead;
  setAhead(waiting?.dataset.slot === entry.kept.element.dataset.slot ? null : waiting);
  stage = entry.kept;
  place.replaceChildren(stage.element);
  history.replaceState(null, "", stage.element.dataset.url);
  stage.showError(message);
  stage.element.focus({ preventScroll: true });
  await renewFence();
  showSaving();
}

// The item may have changed since: take its version from the server, keep what the reviewer filled in.
async function renewFence() {
  const response = await fetch(stage.element.dataset.url, { redirect: "manual" });
  if (!response.ok) return;
  const fresh = parseStage(await response.text());
  const version = fresh.querySelector("input[name=version]");
  if (version === null) return;
  stage.form.elements.version.value = version.value;
  for (const selector of [".triggers", ".finding-list"]) {
    const [before, after] = [stage.find(selector), fresh.querySelector(selector)];
    if (before && after && before.childElementCount !== after.childElementCount) before.replaceWith(after);
  }
  const form = fresh.querySelector("[data-answer]");
  if (stage.form.dataset.schema !== form.dataset.schema) renewChoices(form);
}

// A lead moved the queue to other choices: offer those, with what the reviewer chose where it is still offered.
function renewChoices(fresh) {
  const chosen = new FormData(stage.form);
  for (const input of fresh.querySelectorAll("input[type=radio], input[type=checkbox]")) {
    if (chosen.getAll(input.name).includes(input.value)) input.checked = true;
  }
  for (const name of ["verdicts", "snippets", "rubric", "categories"]) {
    const [before, after] = [stage.form, fresh].map((form) => form.querySelector(`fieldset.${name}`));
    if (before && after) before.replaceWith(after);
    else if (before) before.remove();
    else if (after) stage.form.querySelector(".categories").before(after);
  }
  stage.form.dataset.schema = fresh.dataset.schema;
}

function showSaving() {
  savingSign.hidden = unsaved.size === 0;
  savingSign.textContent = unsaved.size === 1 ? "saving…" : `saving ${unsaved.size}…`;
}

// Second thoughts

/** Take the newest decision back and put its item on screen; what was on screen waits ahead again, as it was left. */
async function undo() {
  if (undoing) return;
  undoing = true;
  await Promise.allSettled([...unsaved].map((save) => save.promise));
  if (undoBar.isOpen()) await takeBack();
  else announce("There is nothing to take back.");
  undoing = false;
}

async function takeBack() {
  try {
    const answer = await post(undoBar.form.action, new FormData());
    undoBar.close();
    countToday(-1);
    if (answer.html) await putOnTop(parseStage(answer.html));
    else complain(answer.message, [["All right", clearTrouble]]);
  } catch (error) {
    if (error.status === "late") undoBar.close();
    complain(error.message, [["All right", clearTrouble]]);
  }
}

async function putOnTop(element) {
  await fetching;
  if (stage !== null) setAhead(stage.element);
  show(element);
  announce("Taken back. Nothing went out; choose again.");
}

undoBar.form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!busy) undo();
});

// Trouble

function complain(message, actions) {
  const text = document.createElement("span");
  text.textContent = message;
  const buttons = actions.map(([label, act]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button";
    button.textContent = label;
    button.addEventListener("click", act);
    return button;
  });
  trouble.replaceChildren(text, ...buttons);
}

function clearTrouble() {
  trouble.replaceChildren();
}

window.addEventListener("beforeunload", (event) => {
  if (unsaved.size > 0) event.preventDefault();
});

// Keys

document.addEventListener("keydown", (event) => {
  inputSince = true;
  stage?.timers.touched(true);
  if (isSubmitChord(event)) {
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    submit();
    return;
  }
  if (event.key === "Escape") leave(event);
  if (busy || stage === null || isTaken(event)) return;
  if (command(event)) event.preventDefault();
});

/** Do what the key says; false when it says nothing here. */
function command(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key in VERDICT_KEYS) return chooseOrSubmit(VERDICT_KEYS[key]);
  if (/^[1-9]$/.test(key)) stage.cycleCategory(key);
  else if (key === "e") stage.editing.start();
  else if (key === "s") stage.openDialog("[data-skip]");
  else if (key === "x") stage.openDialog("[data-escalate]");
  else if (key === "c") stage.focusNote();
  else if (key === "z") undo();
  else if (key === "?") document.getElementById("keys").showModal();
  else if (key === "F2") stage.findings.inSpanMode() ? stage.findings.leave() : stage.findings.move(1);
  else if (key === "Tab" && stage.findings.inSpanMode()) stage.findings.move(event.shiftKey ? -1 : 1);
  else if (key === " " && stage.findings.inSpanMode()) stage.findings.toggle();
  else if (key === "Enter" && stage.outcome() && !isControl(event.target)) submit();
  else return false;
  return true;
}

function chooseOrSubmit(value) {
  if (stage.outcome() === value) submit();
  else if (!stage.choose(value)) announce("That is not possible for this item.");
  return true;
}

function leave(event) {
  if (stage === null || document.querySelector("dialog[open]") || event.isComposing) return;
  stage.findings.leave();
  if (event.target instanceof HTMLTextAreaElement) stage.element.focus({ preventScroll: true });
}

for (const type of ["pointerdown", "wheel", "input"]) {
  document.addEventListener(type, () => {
    inputSince = true;
    stage?.timers.touched(false);
  }, { passive: true });
}

// Time

setInterval(() => stage?.timers.tick(), 1000);
setInterval(async () => {
  if (!inputSince || stage === null || document.hidden) return;
  inputSince = false;
  const beating = stage;
  const data = new FormData();
  data.append("token", beating.element.dataset.token);
  try {
    const answer = await post(beating.element.dataset.heartbeatUrl, data);
    beating.timers.extendLease(answer.lease_seconds);
    showPaused(answer.paused);
  } catch (error) {
    if (error.status === "lost" && beating === stage) beating.showError(`${error.message} You can still submit: your answer is kept.`);
  }
}, HEARTBEAT_MS);

const keysDialog = document.getElementById("keys");
root.querySelector("[data-open-keys]").addEventListener("click", () => keysDialog.showModal());
keysDialog.querySelector("[data-close]").addEventListener("click", () => keysDialog.close());

adopt(place.querySelector(".stage"));
fetchAhead();
