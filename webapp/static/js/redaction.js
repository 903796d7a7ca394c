// The output as the findings, as they are judged and moved now, leave it. Only the server has the keys of hashes.

import { postForText } from "./server.js";

const TOLD = /^(finding-|spans$)/;

/** Return the redacted text; null when something changed while the server wrote it, and another request follows. */
export async function fetchRedacted(stage) {
  const data = told(stage);
  const text = await postForText(stage.element.dataset.redactedUrl, data);
  return asText(data) === asText(told(stage)) ? text : null;
}

function told(stage) {
  const data = new FormData();
  for (const [name, value] of new FormData(stage.form)) if (TOLD.test(name)) data.append(name, value);
  return data;
}

function asText(data) {
  return JSON.stringify([...data].filter(([name]) => TOLD.test(name)));
}
