"""The model card: what the heads were made from, how, how good they are, and where they fail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from feedback.evaluation.tables import figure, table
from feedback.training.joint.writer import write_whole
from feedback.training.pipeline import Corpus, Trained
from feedback.training.report import CategoryRow, SourceRow, data_rows, operating_points
from feedback.training.thresholds import LEFT_OUT_ALARM, PRICE
from workers.runtimes.joint import JointConfig

CARD = "MODEL_CARD.md"
WEAKNESSES = """\
- **Synthetic categories.** violence/graphic has no positive text from outside; self-harm, sexual, illicit/violent and
  both threatening categories have few. Scores on our own templates are high because such texts are alike; expect far
  less on texts of other making.
- **English.** Some texts are French, German or Spanish, and a few Italian, Portuguese, Dutch or Polish; other languages
  and code-mixed text were not trained on. The encoder reads no case and no accents, which costs names.
- **Labels differ by source.** What Davidson calls hate, civil comments call an insult. Sources, not only meanings, can
  be told apart by a model. How much that matters only one figure says: of the sources that took no part, the others
  have too few texts of both labels in any category.
- **Posts outnumber answers.** Most harmful training texts are posts by people. Harm in an assistant's answer that is
  polite in tone (illicit advice without a telltale word) is often missed.
- **Harmless questions in the form of harmful ones** may score high: nearly all questions labelled illicit come from
  sources that hold nothing else.
- **Encoded text** is recognised as encoded rather than read: base64 that hides a harmless text can score as injection.
- **Spelling tricks** (spaced letters, look-alike characters) weaken every category; the phrases detector folds them.
- **Names of groups** raise hate scores in short texts, although counter-speech is in the training data.
- **A small encoder**, made for sentence similarity. Irony, implied hate and long context are beyond it.
- **Spans** of texts unlike the sources above (legal documents, tables, other languages) are found less often than the
  figures say; ADDRESS and DATE_TIME were learnt mostly from texts of our own.
- **Calibration** holds for the mix of the training sources, in which harm is far more frequent than in real traffic.
- sexual/minors is no category of this model. No such text was written; rows that join words of age and of sex are
  dropped before anything else, so texts that name both, harmless ones too, are unfamiliar to it."""


@dataclass(frozen=True)
class Facts:
    """What the card states beside the tables."""

    command: str
    seed: int
    recipe: str
    versions: dict[str, str]
    #: How many benign assistant answers, and the share that is flagged; the same of prompts and documents.
    benign: int
    alarms: float
    input: tuple[int, float]
    unseen: list[list[object]]
    spans: list[tuple[str, str, int, str, str, str]]
    traffic: tuple[int, float] | None
    fresh: list[tuple[str, int, int, str]]
    cosine: float


def kept(trained: Trained, place: str, limit: str) -> str:
    """Say how many benign texts of templates that took no part reach a recommended limit."""
    found = trained.recommendations[place].promises[limit]
    return f"{found.left_out:.2%} ± {found.error:.2%}"


def comparisons(card: Path, config: JointConfig) -> list[str]:
    """Return the sections "Beside …" that somebody added to a card of these very weights."""
    text = card.read_text() if card.exists() else ""
    if config.adapters_sha256 not in text or config.heads_sha256 not in text:
        return []
    return ["## " + section.strip() for section in text.split("\n## ") if section.startswith("Beside")]


def scores_table(rows: list[CategoryRow]) -> str:
    """Return the table that the command prints and the card keeps."""
    header = ["category", "known", "positive", "AP (95 %)", "AP TF-IDF+LR", "AUROC", "F1 at flag", "ECE"]
    return table([*header, "positive, real", "AP, real", "AP TF-IDF+LR, real"], [_scores(row) for row in rows])


def _scores(row: CategoryRow) -> list[object]:
    ours, real = row.ours, row.ours_real
    all_texts = [ours.known, ours.positive, figure(ours.ap), figure(row.baseline.ap and row.baseline.ap.value)]
    decisions = [figure(ours.auroc), figure(ours.f1), figure(ours.ece)]
    return [
        row.category,
        *all_texts,
        *decisions,
        real.positive,
        figure(real.ap),
        figure(row.baseline_real.ap and row.baseline_real.ap.value),
    ]


def sources_table(rows: list[SourceRow]) -> str:
    return table(
        ["source", "called safe", "flagged by us", "called unsafe", "flagged by us"],
        [[r.source, r.safe, figure(r.safe_reached), r.flagged, figure(r.flagged_reached)] for r in rows],
    )


def write_card(
    folder: Path,
    *,
    replaced: Path,
    config: JointConfig,
    corpus: Corpus,
    trained: Trained,
    categories: list[CategoryRow],
    sources: list[SourceRow],
    facts: Facts,
) -> None:
    """Write MODEL_CARD.md. It holds counts and figures, and no training text.

    `replaced`: the folder whose place `folder` takes, if there is one: comparisons of its card stay.
    """
    data = [
        [source, sides.total(), sides["train"], sides["calibration"], sides["test"], sides["unseen"], licence]
        for source, licence, sides in data_rows(corpus)
    ]
    limits = [[c, t.watch, t.flag, t.hold, t.block] for c, t in trained.thresholds.items()]
    traffic = ""
    if facts.traffic:
        traffic = (
            f"\nOf {facts.traffic[0]} responses of traffic_replay (unlabelled, safe and unsafe mixed, used for nothing "
            f"else) {facts.traffic[1]:.1%} reach a flag threshold.\n"
        )
    fresh = ""
    if facts.fresh:
        fresh = (
            "\nBenign answers that took no part (dropped by subsampling, no near-duplicate of one that was kept, "
            "scored only with the finished model at the recommended flags):\n\n"
            + table(["source", "answers", "flagged", "share"], facts.fresh)
            + "\n"
        )
    parts = [
        f"# {config.name}\n\nAdapters of, and heads on, the encoder sentence-transformers/all-MiniLM-L6-v2 (revision "
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41, Apache-2.0; SHA-256 of its weights "
        f"`{config.encoder_sha256}`). One pass gives a calibrated probability for each of {len(config.categories)} "
        f"categories, spans of {', '.join(config.entities)}, and an embedding. Apache-2.0; SHA-256 of the adapters "
        f"`{config.adapters_sha256}`, of the heads `{config.heads_sha256}`, of the ranges for eight bits "
        f"`{config.ranges_sha256}`.\n\n"
        "For flagging texts, prompts and answers for a person to look at. Not for deciding about people.",
        f"## How it was made\n```\n{facts.command}\n```\nSeed {facts.seed}; "
        + ", ".join(f"{k} {v}" for k, v in facts.versions.items())
        + f". {facts.recipe} The same data, seed, thread count and CPU give the same bytes.",
        "## Data\nRows after deduplication and subsampling. Near-duplicates are on one side; synthetic texts are split "
        "by template; what is unseen is measured on and nothing else.\n\n"
        + table(["source", "rows", "train", "calibration", "test", "unseen", "licence"], data),
        "## Scores\nOn the test side, on which nothing was fitted, calibrated or chosen. Average precision with "
        'bootstrap intervals over texts. "Known" counts texts labelled for the category; "real" leaves out our own.\n\n'
        + scores_table(categories),
        "## Spans\nOn the test side: exactly the right characters and the right entity, where somebody looked for "
        "it.\n\n"
        + table(["source", "entity", "spans", "precision", "recall", "F1"], facts.spans),
        "## Embedding\nMean cosine with the sentence embedding of the encoder as upstream made it, over the test side: "
        f"{facts.cosine:.3f}.",
        "## False alarms\n"
        f"Of {facts.benign} benign assistant answers on the test side, {facts.alarms:.2%} reach a flag threshold, that "
        f"of prompt_injection apart, which is looked for in input: of {facts.input[0]} benign prompts and documents "
        f"{facts.input[1]:.2%} reach it.\n"
        + traffic + fresh
        + "\nAll test texts, by what their source called them:\n\n" + sources_table(sources),
        "## Sources that took no part\nMeasured on all their texts: what to expect of texts of another origin.\n\n"
        + table(["source", "category", "known", "positive", "AP", "AP TF-IDF+LR"], facts.unseen),
        "## Recommended thresholds\nChosen on the calibration side: of each category the threshold of most worth, "
        "which is the logarithm of its recall less a price on the benign answers that reach it; a hold costs "
        f"{PRICE['hold']} times as much as a flag, a block {PRICE['block']} times. Alarms on labelled texts are "
        "right at least as often as 0.25 (watch), 0.5, 0.75 and 0.9. The price is the lowest at which "
        f"{LEFT_OUT_ALARM['flag']:.0%} or less, with a standard error, of benign answers of templates that took no "
        f"part in the choice reach any flag: {kept(trained, 'answers', 'flag')}; for prompt_injection of benign "
        f"prompts and documents: {kept(trained, 'input', 'flag')}. `watch`, for those who would rather see too much, "
        f"is chosen in the same way with {LEFT_OUT_ALARM['watch']:.0%}: {kept(trained, 'answers', 'watch')} and "
        f"{kept(trained, 'input', 'watch')}. 0.99 is the end of the scale: hardly anything reaches it.\n\n"
        + table(["category", "watch", "flag", "hold", "block"], limits),
        "Quiet flags miss much. On the test side, for the recommended thresholds and for one for all categories: "
        "share of benign answers that reach any, and recall.\n\n"
        + table(["from", "false alarms", *config.categories], operating_points(corpus, trained)),
        *comparisons(replaced / CARD, config),
        "## Known weaknesses\n" + WEAKNESSES,
    ]  # fmt: skip
    write_whole(folder / CARD, ("\n\n".join(parts) + "\n").encode())
