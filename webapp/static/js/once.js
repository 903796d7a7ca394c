// The form that decides near-duplicates once: the policy is searched and the statement composed as on the console.

import { PolicySearch } from "./policy.js";
import { Statement } from "./statement.js";

const announcer = document.getElementById("announcer");

class Once {
  constructor(element) {
    this.element = element;
    this.form = this.find("form");
    new PolicySearch(this);
    const statement = new Statement(this);
    this.form.addEventListener("change", () => statement.follow());
  }

  find(selector) {
    return this.element.querySelector(selector);
  }

  all(selector) {
    return [...this.element.querySelectorAll(selector)];
  }

  announce(text) {
    announcer.textContent = text;
  }
}

const place = document.querySelector("[data-once]");
if (place !== null) new Once(place);
