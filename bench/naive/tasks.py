"""The worker: each model its own pipeline, each text by itself."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from celery import Celery
from celery.signals import worker_process_init

from screening.categories import MODEL_ENTITIES
from workers.runtimes.encoder import carrier_folder

app = Celery("naive", broker=os.environ["REDIS_URL"], backend=os.environ["REDIS_URL"], fixups=set())
LABELS = {"moderation": 13, "injection": 2}
#: Added to the logit of "no entity": a head of random numbers would find one in every other word.
NONE_MARGIN = 5.0
#: The variable that has the models find nothing at once, as COUNTERSIGN_GUARD_MODEL=fake has ours. Presidio stays.
FAKED = "NAIVE_MODELS_FAKED"


@app.task(name="naive.screen")
def screen(output: str, prompt: str) -> dict[str, Any]:
    """Return what the three models and Presidio say."""
    return {
        "moderation": classifier("moderation")(output, truncation=True, top_k=None),
        "injection": classifier("injection")(prompt, truncation=True, top_k=None) if prompt else [],
        "entities": [{**found, "score": float(found["score"])} for found in namer()(output)],
        "pii": [found.to_dict() for found in analyzer().analyze(output, language="en")],
    }


def _nothing(_text: str, **_: object) -> list[dict[str, Any]]:
    return []


@lru_cache(maxsize=2)
def classifier(task: str) -> Any:
    """Return a pipeline of our guard model's architecture; one a task, as with a model for each."""
    if FAKED in os.environ:
        return _nothing
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    torch.set_num_threads(1)
    folder = carrier_folder()
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=LABELS[task])
    tokenizer = AutoTokenizer.from_pretrained(folder, model_max_length=512)
    return pipeline("text-classification", model=model, tokenizer=tokenizer, device="cpu")


@lru_cache(maxsize=1)
def namer() -> Any:
    """Return a pipeline for named entities, of the same architecture; it truncates like the others."""
    if FAKED in os.environ:
        return _nothing
    import torch
    from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

    torch.set_num_threads(1)
    folder = carrier_folder()
    names = ["O", *(f"{mark}-{entity}" for entity in MODEL_ENTITIES for mark in "BI")]
    model = AutoModelForTokenClassification.from_pretrained(folder, id2label=dict(enumerate(names)))
    with torch.no_grad():
        model.classifier.bias[0] += NONE_MARGIN
    tokenizer = AutoTokenizer.from_pretrained(folder, model_max_length=512)
    return pipeline(
        "token-classification", model=model, tokenizer=tokenizer, device="cpu", aggregation_strategy="simple"
    )


@lru_cache(maxsize=1)
def analyzer() -> Any:
    """Return Presidio with its own recognizers, and a blank English model that needs no download."""
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())  # type: ignore[assignment]  # no look-ups
    nlp = SpacyNlpEngine(models=[{"lang_code": "en", "model_name": "blank"}])
    nlp.nlp = {"en": spacy.blank("en")}  # type: ignore[assignment]  # as its own loading would
    return AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])


@worker_process_init.connect
def _warm_up(**_: Any) -> None:
    screen("warm up", "warm up")
