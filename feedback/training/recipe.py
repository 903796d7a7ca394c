"""The choices behind the heads that ship; each was measured on the calibration side."""

from __future__ import annotations

from feedback.training.features import Spec

SPEC = Spec()
