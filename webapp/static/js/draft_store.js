// Unfinished answers on this device, as long as they are needed: they hold what people wrote and edited.

const PREFIX = "countersign:draft:";
const SESSION = "countersign:session";
const EXPIRES_MS = 24 * 3600 * 1000;

/** Keep a draft; false when the device has no room for it or allows none. `name` begins with its owner's id. */
export function keep(name, draft) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify({ ...draft, at: Date.now() }));
    return true;
  } catch {
    return false;
  }
}

/** Return the draft with the time at which it was kept; null when there is none, or none that can be read. */
export function recall(name) {
  try {
    const draft = JSON.parse(localStorage.getItem(PREFIX + name));
    return draft && Array.isArray(draft.fields) && isFresh(draft) ? draft : null;
  } catch {
    return null;
  }
}

export function drop(name) {
  localStorage.removeItem(PREFIX + name);
}

/** Forget what is too old, and what others left on this device. */
export function forgetOld(user) {
  for (const key of keys()) {
    const name = key.slice(PREFIX.length);
    if (!name.startsWith(`${user}:`) || recall(name) === null) localStorage.removeItem(key);
  }
}

/** Forget everything, because the person leaves. */
export function forgetAll() {
  for (const key of keys()) localStorage.removeItem(key);
  sessionStorage.removeItem(SESSION);
}

/** Return the figures of this session in this tab. */
export function session() {
  try {
    return { answers: 0, activeMs: 0, ...JSON.parse(sessionStorage.getItem(SESSION)) };
  } catch {
    return { answers: 0, activeMs: 0 };
  }
}

export function keepSession(figures) {
  sessionStorage.setItem(SESSION, JSON.stringify(figures));
}

// The clock may have been put back since: then a draft seems to come from later.
function isFresh(draft) {
  return Math.abs(Date.now() - draft.at) < EXPIRES_MS;
}

function keys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
}
