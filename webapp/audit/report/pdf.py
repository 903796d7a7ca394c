"""The PDF: PDF/A-3a, set by typst from report.typ, with the report's data attached as JSON."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import typst

from webapp.audit.report.document import Report, as_dict

TEMPLATE = Path(__file__).with_name("report.typ")


def render_pdf(report: Report) -> bytes:
    """Return the document; equal reports of equal checkpoints are equal byte for byte."""
    data = as_dict(report)
    data["charts"] = {section.id: section.chart for section in report.sections if section.chart}
    attached = json.dumps(as_dict(report), ensure_ascii=False, indent=1)
    return typst.compile(
        TEMPLATE,
        root=TEMPLATE.parent,
        ignore_system_fonts=True,  # the fonts of this machine must not show in the bytes
        sys_inputs={"report": json.dumps(data, ensure_ascii=False), "attached": attached},
        pdf_standards=["a-3a"],
        timestamp=report.checkpoint.ts.astimezone(dt.UTC).replace(microsecond=0),
    )
