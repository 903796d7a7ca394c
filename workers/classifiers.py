"""Load a classifier of the models file. Importing this module is cheap; torch comes with the first classifier."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from screening.detectors.base import GuardModel
from screening.detectors.served import ModelMissing
from screening.models_file import Classifier, configured_models
from workers.runtimes.errors import ModelUnavailable

__all__ = ["ModelUnavailable", "load_classifier"]


def load_classifier(name: str) -> GuardModel:
    """Return the classifier that the models file calls `name`, ready to predict.

    Its predictions have our categories (task sequence) or spans of our entities (task token). Fetches nothing from a
    network: a model of the hub is taken from the local cache, at its revision. Raise ModelMissing for a name that is
    not there, ModelsFileError for a faulty file, ModelUnavailable, saying what to do, when the model cannot be used.
    """
    config = configured_models().classifiers.get(name)
    if config is None:
        raise ModelMissing(f"no classifier {name!r} in the models file")
    # As in workers.model: whatever a library would like to look up, it does not.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    folder, revision = _folder(config)
    from workers.runtimes.classifier import TransformersClassifier

    return TransformersClassifier(config, folder, version=f"{name}@{revision[:12]}")


def _folder(config: Classifier) -> tuple[Path, str]:
    """Return where the model's files are, and its revision: the commit, or the hash of the weights of a folder."""
    if config.hub and config.revision:
        return _cached(config.hub, config.revision), config.revision
    folder = Path(config.path).expanduser()
    if not folder.is_dir():
        raise ModelUnavailable(f"{folder} is no folder on this host. Put the model there, or mend `path`.")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        raise ModelUnavailable(f"{folder} has no .safetensors file: other forms of weights can carry code.")
    digest = hashlib.sha256()
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return folder, digest.hexdigest()


def _cached(hub: str, revision: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(hub, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError) as error:
        remedy = f"hf download {hub} --revision {revision}"
        raise ModelUnavailable(f"{hub} is not in the local cache at that revision. Fetch it once: {remedy}") from error
