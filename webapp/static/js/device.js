// On every page of somebody who is signed in: what is kept on this device ends with the session, and forms outlive it.

import { csrfToken } from "./csrf.js";
import { forgetAll, forgetOld } from "./draft_store.js";

forgetOld(document.querySelector("[data-sign-out]").dataset.signOut);

document.addEventListener("submit", (event) => {
  const action = event.target.getAttribute("action") || window.location.pathname;
  if (action.endsWith("/logout/")) forgetAll();
  const token = event.target.elements.namedItem("csrfmiddlewaretoken");
  if (token) token.value = csrfToken();
});
