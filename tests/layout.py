"""Facts about the repository that tests of its layout share."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
#: Where `import guardrails` must lead: the library, never our folder of that name.
GUARDRAILS_AI = Path(str(distribution("guardrails-ai").locate_file("guardrails/__init__.py")))
