// The statement of reasons: composed of what is chosen, until the reviewer writes it otherwise. review/reasons.py makes
// the same of the same sentences.

export class Statement {
  constructor(stage) {
    this.stage = stage;
    this.field = stage.find("[data-statement]");
    this.anew = stage.find("[data-compose]");
    this.field.addEventListener("input", () => this.show());
    this.anew.addEventListener("click", () => {
      this.field.value = "";
      this.follow();
    });
    this.composed = this.compose();
    this.follow();
  }

  /** Compose it again after a choice; what was written stays. */
  follow() {
    const composed = this.compose();
    if (this.field.value === "" || this.field.value === this.composed) this.field.value = composed;
    this.composed = composed;
    this.show();
  }

  show() {
    this.anew.hidden = this.field.value === this.composed;
  }

  compose() {
    const { form } = this.stage;
    const outcome = form.querySelector("input[name=outcome]:checked")?.dataset.sentence;
    if (!outcome) return "";
    const sentences = (name) => Array.from(form.querySelectorAll(`input[name=${name}]:checked`), (input) => input.dataset.sentence);
    const found = Array.from(form.querySelectorAll("input[name^=label-][value=yes]:checked"), (input) => input.name.slice("label-".length));
    const names = form.querySelector("[data-found]").dataset.found.replace("%(names)s", () => found.join(", "));
    return [outcome, ...sentences("reason"), ...(found.length > 0 ? [names] : []), ...sentences("snippet")].join("\n");
  }
}
