"""openai/evals: JSONL samples and the registry entry that runs them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import yaml
from django.utils.translation import gettext_noop

from feedback.exporters.base import MESSAGE, Exporter, Row, Skip, column, list_column, struct_column
from feedback.exporters.completions import good_completion
from feedback.messages import prompt_of
from feedback.records import Record


class OpenAIEvals(Exporter):
    identifier = "openai-evals"
    title = gettext_noop("openai/evals")
    measures = True
    purpose = gettext_noop(
        "Measure a language model against the answers that people stood behind. Use the test split. A reviewer who saw "
        "machine scores leans to them, so it takes blind answers alone, unless the dataset chose by what they saw."
    )
    exposes = gettext_noop("The text that went out; prompts with the private data that checks found taken out.")
    features = (
        list_column("input", MESSAGE),
        column("ideal", "string"),
        struct_column(
            "metadata", (column("id", "string"), column("assistance", "string"), column("outcome", "string"))
        ),
    )

    def rows(self, record: Record) -> list[Row] | Skip:
        completion = good_completion(record)
        if isinstance(completion, Skip):
            return completion
        metadata = {"id": record["id"], "assistance": record["assistance"], "outcome": record["outcome"]}
        return [{"input": prompt_of(record), "ideal": completion, "metadata": metadata}]

    def data_file(self, *, dataset: str, split: str) -> str:
        return f"registry/data/{dataset}/{split}.jsonl"

    def extra_files(self, *, dataset: str, splits: Sequence[str], words: Collection[str]) -> dict[str, str]:
        """Return a registry for `oaieval --registry_path registry`, an eval for each split."""
        entries: dict[str, Any] = {}
        for split in splits:
            name = f"{dataset}-{split}"
            entries[name] = {"id": f"{name}.{split}.v0", "metrics": ["accuracy", "f1_score"]}
            entries[f"{name}.{split}.v0"] = {
                # Free text is rarely equal: fuzzy match scores inclusion and word overlap.
                "class": "evals.elsuite.basic.fuzzy_match:FuzzyMatch",
                "args": {"samples_jsonl": f"{dataset}/{split}.jsonl"},
            }
        return {f"registry/evals/{dataset}.yaml": yaml.safe_dump(entries, sort_keys=False)}
