// Ask for the type of a mark and, where nothing is selected, for the text to mark.

export class TypeDialog {
  constructor(stage) {
    this.stage = stage;
    this.dialog = stage.find("[data-types]");
    if (this.dialog === null) return;
    const find = (selector) => this.dialog.querySelector(selector);
    this.sought = find("[data-sought]");
    this.text = find("[data-sought] input[type=text]");
    this.everywhere = find("[data-everywhere]");
    this.error = find("[data-sought-error]");
    this.filter = find("[data-type-filter]");
    this.buttons = [...this.dialog.querySelectorAll("[data-kind]")];
    this.filter.addEventListener("input", () => this.narrow());
    this.dialog.addEventListener("keydown", (event) => this.enter(event));
    for (const button of this.buttons) button.addEventListener("click", () => this.answer(button));
  }

  /** Open; `choose({label, kind, text, everywhere})` returns what is wrong, "" when nothing is. */
  ask(choose, { withText }) {
    this.choose = choose;
    this.sought.hidden = !withText;
    this.text.value = "";
    this.filter.value = "";
    this.error.textContent = "";
    this.narrow();
    // It is part of the view of the text: of a view that is not shown, an open dialog would not be seen, and stop all.
    this.stage.tabs.open("text");
    this.dialog.showModal();
    (withText ? this.text : this.filter).focus();
  }

  kindOf(label) {
    return this.buttons?.find((button) => button.value === label)?.dataset.kind ?? "form";
  }

  narrow() {
    const part = this.filter.value.trim().toLowerCase();
    for (const button of this.buttons) button.hidden = !button.value.toLowerCase().includes(part);
  }

  // Enter in the text goes on to the type; in the type it takes the first that is left.
  enter(event) {
    if (event.key !== "Enter" || event.isComposing || event.repeat) return;
    if (event.target === this.text) {
      event.preventDefault();
      this.filter.focus();
    } else if (event.target === this.filter) {
      event.preventDefault();
      const first = this.buttons.find((button) => !button.hidden);
      if (first) this.answer(first);
    }
  }

  answer({ value, dataset }) {
    const wrong = this.choose({ label: value, kind: dataset.kind, text: this.text.value, everywhere: this.everywhere.checked });
    this.error.textContent = wrong;
    if (wrong) this.text.focus();
    else this.dialog.close();
  }
}
