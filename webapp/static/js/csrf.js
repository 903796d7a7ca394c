// The token that every form sends. Signing in again, in another tab, makes the one that this page came with worthless.

const COOKIE = /(?:^|; )csrftoken=([^;]+)/;

/** Return the token of the session as it is now. */
export function csrfToken() {
  return document.cookie.match(COOKIE)?.[1] ?? document.querySelector("input[name=csrfmiddlewaretoken]").value;
}
