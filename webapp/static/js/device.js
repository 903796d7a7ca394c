// On every page of somebody who is signed in: what is kept on this device ends with the session.

import { forgetAll, forgetOld } from "./draft_store.js";

forgetOld(document.querySelector("[data-sign-out]").dataset.signOut);

document.addEventListener("submit", (event) => {
  const action = event.target.getAttribute("action") || window.location.pathname;
  if (action.endsWith("/logout/")) forgetAll();
});
