"""The model card: what the heads were made from, how, how good they are, and where they fail."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from feedback.evaluation.tables import figure, table
from feedback.training.pipeline import Corpus, Trained
from feedback.training.report import CategoryRow, SourceRow, data_rows, operating_points
from feedback.training.writer import write_whole
from workers.runtimes.heads import HeadsConfig

WEAKNESSES = """\
- **Synthetic categories.** violence/graphic has no positive text from outside; self-harm, sexual, illicit/violent and
  both threatening categories have few. Their scores on our own templates are high because such texts are alike; expect
  far less on texts of other making.
- **No better than TF-IDF with logistic regression** where the tables say so: in minilm-heads-1 self-harm on real texts
  (21 positives), violence/graphic (own templates only, both perfect), and hate in ConvAbuse when it is unseen (worse).
- **Refusals of jailbreaks** repeat the jailbreak's words and are flagged as injection more often than other answers.
- **Harmless questions in the form of harmful ones** score high: "How do I kill a Python process?" is illicit at 1.00 in
  minilm-heads-1. Nearly all questions labelled illicit come from sources that hold nothing else.
- **English.** Some prompts are French or German; other languages and code-mixed text were not trained on.
- **Labels differ by source.** What Davidson calls hate, civil comments call an insult. Sources, not only meanings, can
  be told apart by a model, so figures on unseen sources are lower than these; see the unseen-source figures.
- **Posts outnumber answers.** Most harmful training texts are posts by people. Harm in an assistant's answer that is
  polite in tone (illicit advice without a telltale word) is often missed.
- **Encoded text** is recognised as encoded rather than read: base64 that hides a harmless text can score as injection.
- **Spelling tricks** (spaced letters, look-alike characters) weaken every category; the phrases detector folds them.
- **Names of groups** raise hate scores in short texts, although counter-speech is in the training data.
- **Frozen encoder.** It was made for sentence similarity. Irony, implied hate and long context are beyond it.
- **Calibration** holds for the mix of the training sources, in which harm is far more frequent than in real traffic.
- sexual/minors is no category of this model. No such text was written; rows that join words of age and of sex are
  dropped before anything else, so texts that name both, harmless ones too, are unfamiliar to it."""

TEST_SIDE = """\
Nothing is fitted or calibrated on the test side, and the shape of the heads was chosen on the calibration side (about
17 variants, most within noise of each other). The test side is not untouched, though. The first threshold rule gave
3.64 % false alarms there; the texts it flagged were read, and templates of refusals and of talk about crime were added.
Later rules gave 0.60, 1.49, 1.20, 0.97 and 0.75 %; between them the rule and its budget were changed, and foul answers
were no longer counted as benign. After that only the rows that join age and sex were dropped, and nothing was chosen
again. False alarms and recall at the recommended flags are therefore optimistic here; the
answers that took no part are the honest figure. Average precision was not chosen by, but the added templates are in it
(each template either in training or in test)."""


@dataclass(frozen=True)
class Facts:
    """What the card states beside the tables."""

    command: str
    seed: int
    versions: dict[str, str]
    benign: int
    alarms: float
    unseen: list[tuple[str, str, int, int, str, str]]
    traffic: tuple[int, float] | None
    fresh: list[tuple[str, int, int, str]]


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
    config: HeadsConfig,
    corpus: Corpus,
    trained: Trained,
    categories: list[CategoryRow],
    sources: list[SourceRow],
    facts: Facts,
) -> None:
    """Write MODEL_CARD.md. It holds counts and figures, and no training text."""
    data = [
        [source, sides.total(), sides["train"], sides["calibration"], sides["test"], licence]
        for source, licence, sides in data_rows(corpus)
    ]
    limits = [[c, t.flag, t.hold, t.block] for c, t in trained.thresholds.items()]
    traffic = ""
    if facts.traffic:
        traffic = (
            f"\nOf {facts.traffic[0]} responses of traffic_replay (unlabelled, safe and unsafe mixed, used for nothing "
            f"else) {facts.traffic[1]:.1%} reach a flag threshold.\n"
        )
    parts = [
        f"# {config.name}\n\nHeads on the frozen encoder sentence-transformers/all-MiniLM-L6-v2 (revision "
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41, Apache-2.0; SHA-256 of its weights "
        f"`{config.encoder_sha256}`). One pass gives a calibrated probability for each of {len(config.categories)} "
        f"categories. Heads: Apache-2.0, SHA-256 `{config.heads_sha256}`.\n\n"
        "For flagging texts, prompts and answers for a person to look at. Not for deciding about people.",
        f"## How it was made\n```\n{facts.command}\n```\nSeed {facts.seed}; "
        + ", ".join(f"{k} {v}" for k, v in facts.versions.items())
        + ". The same cached features, seed and thread count give the same bytes; encoding afresh on another CPU may "
        "change last digits.",
        "## Data\nRows after deduplication and subsampling. Near-duplicates are on one side; synthetic texts are split "
        "by template.\n\n" + table(["source", "rows", "train", "calibration", "test", "licence"], data),
        "## Scores\nOn the test side (how it was used: below). Average precision with bootstrap "
        'intervals over texts. "Known" counts texts labelled for the category; "real" leaves out our own.\n\n'
        + scores_table(categories),
        "## How the test side was used\n" + TEST_SIDE,
        "## False alarms\n"
        f"Of {facts.benign} benign assistant answers on the test side, {facts.alarms:.2%} reach any flag threshold.\n"
        + traffic + "\nBenign answers that took no part (dropped by subsampling, no near-duplicate of one that was "
        "kept, scored only with the finished heads at the recommended flags):\n\n"
        + table(["source", "answers", "flagged", "share"], facts.fresh)
        + "\n\nAll test texts, by what their source called them:\n\n" + sources_table(sources),
        "## Unseen sources\nHeads fitted in the same way without these sources, measured on all their texts: what to "
        "expect of texts of another origin.\n\n"
        + table(["source", "category", "known", "positive", "AP", "AP TF-IDF+LR"], facts.unseen),
        "## Recommended thresholds\nLowest at which, on the calibration side, at most 0.5 % of benign answers reach a "
        "flag of any category, 0.25 % a hold and 0.1 % a block, with precision of 0.5, 0.75 and 0.9 on labelled texts. "
        "0.99: this model should not take that decision.\n\n"
        + table(["category", "flag", "hold", "block"], limits),
        "Quiet flags miss much. On the test side, for the recommended flags and for one threshold for all categories: "
        "share of benign answers that reach any, and recall.\n\n"
        + table(["flag at", "false alarms", *config.categories], operating_points(corpus, trained)),
        "## Known weaknesses\n" + WEAKNESSES,
    ]  # fmt: skip
    write_whole(folder / "MODEL_CARD.md", ("\n\n".join(parts) + "\n").encode())
