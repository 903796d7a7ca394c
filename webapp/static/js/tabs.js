// The views of the output: text, redacted, edit.

import { fetchRedacted } from "./redaction.js";
import { gettext } from "./texts.js";

export class Tabs {
  constructor(stage) {
    this.stage = stage;
    this.redactedIsOld = stage.find("[data-redacted]")?.hasAttribute("data-old") ?? false;
    for (const tab of stage.all("[data-tab]")) {
      tab.addEventListener("click", () => this.open(tab.dataset.tab));
      tab.addEventListener("keydown", (event) => this.move(event));
    }
  }

  open(name) {
    if (!this.stage.find(`[data-tab="${name}"]`)) return;
    for (const tab of this.stage.all("[data-tab]")) {
      const selected = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(selected));
      tab.tabIndex = selected ? 0 : -1;
    }
    for (const panel of this.stage.all("[data-panel]")) panel.toggleAttribute("data-js-hidden", panel.dataset.panel !== name);
    if (name === "redacted") this.refreshRedacted();
  }

  /** Open the view that shows what `outcome` lets out. */
  openFor(outcome) {
    if (outcome === "redact") this.open("redacted");
    else if (outcome === "replace" || this.stage.editing.isEdited()) this.open("edit");
    else this.open("text");
  }

  move(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const tabs = this.stage.all("[data-tab]");
    const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
    this.open(next.dataset.tab);
    next.focus();
  }

  /** Note that findings were judged: the redacted text is fetched again when it is looked at. */
  outdateRedacted() {
    this.redactedIsOld = true;
    this.refreshRedacted();
  }

  async refreshRedacted() {
    const { stage } = this;
    const place = stage.find("[data-redacted]");
    if (!place || !this.redactedIsOld || stage.find('[data-panel="redacted"]').hasAttribute("data-js-hidden")) return;
    this.redactedIsOld = false;
    try {
      const text = await fetchRedacted(stage);
      if (text !== null) place.textContent = text;
    } catch {
      this.redactedIsOld = true;
      stage.announce(gettext("The redacted text could not be refreshed."));
    }
  }
}
