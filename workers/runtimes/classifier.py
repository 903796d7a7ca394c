"""Any Hugging Face sequence or token classifier as a GuardModel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import Sequence as PreTokenizers
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    BatchEncoding,
)
from transformers.utils import logging

from screening.findings import DEADLINE, Deadline, Prediction
from screening.models_file import Classifier
from workers.runtimes.devices import resolve_device
from workers.runtimes.errors import ModelUnavailable
from workers.runtimes.letters import UNREADABLE, Alphabet, is_unreadable
from workers.runtimes.room import Room
from workers.runtimes.windows import without_surrogates
from workers.runtimes.word_spans import Labels, spans_of


class TransformersClassifier:
    """A GuardModel by configuration. Safe to call from several threads; fp32, read-only after construction."""

    def __init__(self, config: Classifier, folder: Path, *, version: str) -> None:
        """Load from `folder` and run once at full length; raise ModelUnavailable when the model cannot be used."""
        self.version = version
        self.categories = tuple(dict.fromkeys(config.labels.values()))
        self._config = config
        self._device = resolve_device(config.device)
        self._room = Room(self._device, cpu=2_048, cuda=32_768)
        # Progress bars and reports on keys would go to the worker's log; what matters is checked below.
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        offline: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        for name in ("config.json", "tokenizer.json"):  # without tokenizer.json there are no offsets
            if not (folder / name).is_file():
                raise ModelUnavailable(f"{folder} has no {name}. Save model and fast tokenizer with save_pretrained.")
        kind = AutoModelForSequenceClassification if config.task == "sequence" else AutoModelForTokenClassification
        try:
            model_config = AutoConfig.from_pretrained(folder, **offline)
            self._tokenizer = AutoTokenizer.from_pretrained(folder, use_fast=True, **offline)
            model, report = kind.from_pretrained(
                folder,
                config=model_config,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                **offline,
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise ModelUnavailable(
                f"{folder} does not load as a {config.task} classifier: {type(error).__name__}: {_first_line(error)}"
            ) from error
        self._model = model.to(self._device).eval()
        self._labels = _labels(config, model_config.id2label)
        _check(config, model_config, self._tokenizer, report, folder)
        self._alphabet = _keep_words(self._tokenizer)
        self.predict(["a " * (config.max_length + 1)])

    @torch.inference_mode()
    def predict(self, texts: Sequence[str], *, deadlines: Sequence[Deadline] = ()) -> list[Prediction]:
        """Return a prediction a text, in order, under the names that the labels stand for.

        A sequence classifier gives a score for each category, the highest of the text's windows; a token classifier
        gives spans in code points, stitched over windows. Every window is read, in batches of a fixed budget of
        tokens; the result is the same for a text alone or in any batch within 1e-4. Between two batches the texts
        whose deadline has passed are given up: they are `unscanned`.
        """
        if not texts:
            return []
        windows = self._windows(texts)
        owners: list[int] = windows["overflow_to_sample_mapping"]
        due = deadlines or [Deadline()] * len(texts)
        rows: list[torch.Tensor | None] = [None] * len(owners)
        for positions, probabilities in self._batches(windows, [due[owner] for owner in owners]):
            for place, position in enumerate(positions):
                length = len(windows["input_ids"][position])
                rows[position] = probabilities[place, :length] if self._tokens else probabilities[place]
        mine: list[list[int]] = [[] for _ in texts]
        for window, owner in enumerate(owners):
            mine[owner].append(window)
        return [self._prediction(text, windows, own, rows) for text, own in zip(texts, mine, strict=True)]

    def _prediction(
        self, text: str, windows: BatchEncoding, own: Sequence[int], rows: Sequence[torch.Tensor | None]
    ) -> Prediction:
        read = [row for window in own if (row := rows[window]) is not None]
        if len(read) < len(own):
            return Prediction({}, unscanned=DEADLINE)
        encodings = [(windows.encodings or [])[window] for window in own]
        if any(is_unreadable(text, one.ids, one.offsets, self._tokenizer.unk_token_id) for one in encodings):
            return Prediction({}, unscanned=UNREADABLE)
        if not self._tokens:
            return self._scores(torch.stack(read))
        step = self._config.max_length - self._tokenizer.num_special_tokens_to_add() - self._config.overlap
        pieces = list(zip(encodings, read, strict=True))
        return Prediction({}, spans_of(text, pieces, step, self._labels))

    @property
    def _tokens(self) -> bool:
        return self._config.task == "token"

    def _windows(self, texts: Sequence[str]) -> BatchEncoding:
        windows: BatchEncoding = self._tokenizer(
            [self._folded(text) for text in texts],
            truncation=True,
            max_length=self._config.max_length,
            stride=self._config.overlap,
            return_overflowing_tokens=True,
        )
        return windows

    def _folded(self, text: str) -> str:
        clean = without_surrogates(text)
        return self._alphabet.fold(clean) if self._alphabet else clean

    def _batches(self, windows: BatchEncoding, due: Sequence[Deadline]) -> Iterator[tuple[list[int], torch.Tensor]]:
        """Yield (positions of windows, their probabilities [windows, (tokens,) labels]), without those too late."""
        rows: list[list[int]] = windows["input_ids"]
        types: list[list[int]] | None = windows.get("token_type_ids")
        pad = self._tokenizer.pad_token_id

        def probabilities(batch: list[int]) -> tuple[list[int], torch.Tensor]:
            positions = [position for position in batch if due[position].remaining() > 0]
            if not positions:
                return positions, torch.empty(0)
            width = len(rows[positions[0]])
            inputs = {
                "input_ids": self._padded([rows[i] for i in positions], width, pad or 0),
                "attention_mask": self._padded([[1] * len(rows[i]) for i in positions], width, 0),
            }
            if types is not None:
                inputs["token_type_ids"] = self._padded([types[i] for i in positions], width, 0)
            logits = self._model(**inputs).logits.float()
            each = logits.sigmoid() if self._config.activation == "sigmoid" else logits.softmax(-1)
            return positions, each.cpu()

        # Without a padding token a model reads one text at a time.
        lengths = [len(row) if pad is not None else self._room.budget for row in rows]
        return (found for _, found in self._room.read(lengths, probabilities))

    def _padded(self, rows: list[list[int]], width: int, filler: int) -> torch.Tensor:
        return torch.tensor([row + [filler] * (width - len(row)) for row in rows], device=self._device)

    def _scores(self, windows: torch.Tensor) -> Prediction:
        """Join labels of one category, by sum where they exclude each other, then take the highest window."""
        scores = {}
        for category, places in self._labels.places.items():
            joined = windows[:, places]
            each = joined.amax(1) if self._config.activation == "sigmoid" else joined.sum(1)
            scores[category] = min(1.0, float(each.max()))
        return Prediction(scores)


def _first_line(error: Exception) -> str:
    """Return what a library says of files; it has read no text yet."""
    return str(error).strip().partition("\n")[0][:300]


def _labels(config: Classifier, id2label: dict[int, str]) -> Labels:
    """Return where each target's labels are among the model's; raise ModelUnavailable for a label that it lacks."""
    names = [str(id2label[index]) for index in range(len(id2label))]
    known = set(names) | ({name[2:] for name in names if name[:2] in ("B-", "I-")} if config.task == "token" else set())
    if missing := sorted(set(config.labels) - known):
        raise ModelUnavailable(f"The model has no label {', '.join(missing)}; it has {', '.join(sorted(known))}.")
    places: dict[str, list[int]] = {target: [] for target in config.labels.values()}
    for index, name in enumerate(names):
        target = config.labels.get(name) or (config.labels.get(name[2:]) if config.task == "token" else None)
        if target is not None:
            places[target].append(index)
    return Labels(places, frozenset(index for index, name in enumerate(names) if name.startswith("B-")))


def _keep_words(tokenizer: Any) -> Alphabet | None:
    """Have the tokenizer lose no word for a character of it, where its model does; return what it knows then."""
    pieces = tokenizer.backend_tokenizer
    if not isinstance(pieces.model, WordPiece):
        return None
    alphabet = Alphabet(pieces.get_vocab(), pieces.model.continuing_subword_prefix)
    own = [pieces.pre_tokenizer] if pieces.pre_tokenizer else []
    pieces.pre_tokenizer = PreTokenizers([*own, alphabet.split])
    return alphabet


def _check(config: Classifier, model: Any, tokenizer: Any, report: dict[str, Any], folder: Path) -> None:
    # The head of another task may have the same shape.
    suffix = "ForSequenceClassification" if config.task == "sequence" else "ForTokenClassification"
    fits = any(name.endswith(suffix) for name in model.architectures or ())
    if not fits or report["missing_keys"] or report["mismatched_keys"]:
        raise ModelUnavailable(f"{folder} has no trained head for a {config.task} classifier.")
    if not tokenizer.is_fast:
        raise ModelUnavailable(f"The tokenizer of {folder} is not a fast one: without it there are no offsets.")
    if config.activation == "softmax" and model.num_labels < 2:
        raise ModelUnavailable("A model with one label takes `activation: sigmoid`.")
    longest = min(getattr(model, "max_position_embeddings", None) or 1 << 30, tokenizer.model_max_length)
    if config.max_length > longest:
        raise ModelUnavailable(f"The model reads {longest} tokens at most: lower `max_length`.")
