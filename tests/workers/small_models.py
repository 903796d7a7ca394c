"""Classifiers small enough to be made in a test, in the form in which the hub has them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from transformers import BertConfig, BertForSequenceClassification, BertForTokenClassification, PreTrainedTokenizerFast

from workers.runtimes.encoder import carrier_folder

WIDTH = 64


def tokenizer() -> PreTrainedTokenizerFast:
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")}
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_file=str(carrier_folder() / "tokenizer.json"),
        model_max_length=512,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **special,
    )


def sequence_classifier(folder: Path, labels: Sequence[str], *, seed: int = 0, **config: Any) -> Path:
    """Save a classifier of random weights that depends on all of its input."""
    torch.manual_seed(seed)
    return _save(folder, BertForSequenceClassification(_config(labels, layers=2, initializer_range=0.5, **config)))


def token_classifier(folder: Path, labels: Sequence[str], words: Mapping[str, str]) -> Path:
    """Save a classifier without context that gives each of `words` its label and every other word the first."""
    torch.manual_seed(0)
    model = BertForTokenClassification(_config(labels, layers=0))
    ids = {tokenizer().convert_tokens_to_ids(word): labels.index(label) for word, label in words.items()}
    assert tokenizer().unk_token_id not in ids
    with torch.no_grad():
        embeddings = model.bert.embeddings
        embeddings.position_embeddings.weight.zero_()
        embeddings.token_type_embeddings.weight.zero_()
        embeddings.word_embeddings.weight.zero_()
        embeddings.word_embeddings.weight[:, 0] = 1.0
        for token, label in ids.items():
            embeddings.word_embeddings.weight[token, 0] = 0.0
            embeddings.word_embeddings.weight[token, label] = 1.0
        model.classifier.bias.zero_()
        model.classifier.weight.zero_()
        for label in range(len(labels)):
            model.classifier.weight[label, label] = 1.0
    return _save(folder, model)


def models_file(path: Path, **sections: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump({name: dict(models) for name, models in sections.items()}))
    return path


def _config(labels: Sequence[str], *, layers: int, **more: Any) -> BertConfig:
    names = dict(enumerate(labels))
    return BertConfig(
        vocab_size=30_522,
        hidden_size=WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=WIDTH,
        id2label=names,
        label2id={label: index for index, label in names.items()},
        **more,
    )


def _save(folder: Path, model: torch.nn.Module) -> Path:
    model.save_pretrained(folder)  # type: ignore[operator]  # of PreTrainedModel
    tokenizer().save_pretrained(folder)
    assert json.loads((folder / "config.json").read_text())["id2label"]
    return folder
