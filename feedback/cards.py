"""The README.md of an export: a dataset card that loaders read, and people too."""

from __future__ import annotations

from typing import Any

import yaml

from feedback.exporters.base import Exporter
from feedback.selectors import CATEGORIES


def card(exporter: Exporter, *, manifest: dict[str, Any], data_files: dict[str, list[dict[str, Any]]]) -> str:
    """Return the card. Its features are explicit: inferred ones fail when a column is empty in one file."""
    head = {
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": [file["path"] for file in files]} for split, files in data_files.items()
                ],
            }
        ],
        "dataset_info": {"features": list(exporter.features)},
    }
    return f"---\n{_yaml(head)}---\n{_text(exporter, manifest, data_files)}"


class _NoAliases(yaml.SafeDumper):
    """Features that occur twice are written twice: not every reader of cards knows YAML's aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_NoAliases, sort_keys=False, allow_unicode=True)


def _text(exporter: Exporter, manifest: dict[str, Any], data_files: dict[str, list[dict[str, Any]]]) -> str:
    splits = "\n".join(f"| {split} | {sum(f['rows'] for f in files)} |" for split, files in data_files.items())
    skipped = "\n".join(f"- {reason}: {n}" for reason, n in manifest["skipped"].items()) or "- none"
    labels = any(feature["name"] == "labels" for feature in exporter.features)
    order = f"\nLabels are in this order: {', '.join(CATEGORIES)}.\n" if labels else ""
    return f"""
# {manifest["name"]}, version {manifest["version"]}

{exporter.title}. {exporter.purpose}

Texts in it: {exporter.exposes}

Made by Countersign from decisions of people. Digest of the version (the same in every format): `{manifest["digest"]}`.
Licence: {manifest["licence"] or "not stated"}. Purpose: {manifest["purpose"] or "not stated"}.
{order}
| split | rows |
|---|---|
{splits}

Records left out of this format, and why:

{skipped}

`manifest.json` lists every file with its SHA-256. {exporter.usage}
"""
