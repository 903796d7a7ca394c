// Search the rules of the policy by their words, and choose some as the reason.

export class PolicySearch {
  constructor(stage) {
    this.stage = stage;
    this.search = stage.find("[data-rule-search]");
    this.none = stage.find("[data-no-rule]");
    this.search.addEventListener("input", () => this.narrow());
    this.search.addEventListener("keydown", (event) => this.key(event));
  }

  open() {
    this.search.focus();
    this.search.select();
    this.narrow();
  }

  rules() {
    return this.stage.all("[data-rule]");
  }

  shown() {
    return this.rules().filter((rule) => !rule.hasAttribute("data-js-hidden"));
  }

  /** Show the rules that have all the words; without words, those that fired or are chosen. */
  narrow() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const rule of this.rules()) {
      const met = words.length > 0 ? words.every((word) => rule.dataset.words.includes(word)) : isOffered(rule);
      rule.toggleAttribute("data-js-hidden", !met);
    }
    this.none.hidden = words.length === 0 || this.shown().length > 0;
    this.point(words.length > 0 ? 0 : -1);
  }

  point(index) {
    const shown = this.shown();
    for (const rule of this.rules()) rule.classList.toggle("is-pointed", rule === shown[index]);
    const rule = shown[index];
    if (!rule) return;
    rule.scrollIntoView({ block: "nearest" });
    this.stage.announce(`${index + 1} / ${shown.length}: ${rule.querySelector("label").textContent.trim()}`);
  }

  key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const shown = this.shown();
    const at = shown.findIndex((rule) => rule.classList.contains("is-pointed"));
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length > 0) this.point((at + step + shown.length + (at < 0 && step < 0 ? 1 : 0)) % shown.length);
    else if (event.key === "Enter" && !event.repeat) this.choose(shown[at]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }

  choose(rule) {
    const input = rule?.querySelector("input");
    if (!input) return;
    input.click();
    this.stage.announce(input.checked ? `${input.value} ✓` : `${input.value} –`);
  }

  close() {
    this.search.value = "";
    this.narrow();
    this.stage.element.focus({ preventScroll: true });
  }
}

function isOffered(rule) {
  return rule.hasAttribute("data-shown") || rule.querySelector("input").checked;
}
