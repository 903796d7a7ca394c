// Requests to the server. Every answer is JSON; trouble is an Error with a message for the reviewer.

import { csrfToken } from "./csrf.js";
import { fill, gettext } from "./texts.js";

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Return an error that says what to do about an answer of the server that is none of the console's. */
function failed(response) {
  if (response.type === "opaqueredirect") return new Refused("failed", gettext("You were signed out. Sign in again in another tab, then retry."));
  if (response.status === 403 || response.status === 404)
    return new Refused("failed", gettext("You can not work in this project any more, or the item is gone. Ask an owner of the project."));
  return new Refused("failed", fill(gettext("The server answered %(status)s."), { status: response.status }));
}

/** Return what a problem (RFC 9457) says, in the reader's language. */
function told(problem) {
  return `${problem.detail} ${problem.hint}`;
}

/** POST `data` (FormData) and return the JSON answer; throws Refused with "invalid", "changed", "lost" or "failed". */
export async function post(url, data) {
  data.set("csrfmiddlewaretoken", csrfToken());
  let response;
  try {
    response = await fetch(url, { method: "POST", body: data, headers: { Accept: "application/json" }, redirect: "manual" });
  } catch {
    throw new Refused("failed", gettext("The server can not be reached."));
  }
  const type = response.headers.get("Content-Type") ?? "";
  // Too large as it is: to send it again would not help.
  if (type.startsWith("application/problem+json")) throw new Refused("invalid", told(await response.json()));
  const isJson = type.startsWith("application/json");
  const answer = isJson ? await response.json() : {};
  if (response.ok && isJson) return answer;
  if (answer.status) throw new Refused(answer.status, answer.message);
  throw failed(response);
}

/** POST `data` (FormData) and return the plain text that comes back. */
export async function postForText(url, data) {
  data.set("csrfmiddlewaretoken", csrfToken());
  const response = await fetch(url, { method: "POST", body: data, redirect: "manual" });
  if (!response.ok) throw failed(response);
  return response.text();
}

/** Turn the server's HTML of one item into its element. The server escaped every text in it. */
export function parseStage(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  return document.importNode(page.querySelector(".stage"), true);
}
