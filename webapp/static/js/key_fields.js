// Fields that take the key which is pressed in them. Tab, Enter and Escape stay what they are everywhere.

import { nameOf } from "./keys.js";

for (const field of document.querySelectorAll("[data-key-field]")) {
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const name = nameOf(event);
    if (name.length > 1 && name !== "Space" && !/^F\d+$/.test(name)) return;
    event.preventDefault();
    field.value = name.length === 1 ? name.toUpperCase() : name;
    field.select();
  });
}
