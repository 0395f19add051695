"""Definitions to begin with, one for each of the usual occasions; texts are in every language."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias, get_args

import msgspec

from chalicelib.surveys.document import Definition

Template: TypeAlias = Literal["relationship_nps", "post_purchase_csat", "post_case_ces", "churn_exit", "needs_research"]
TEMPLATES: tuple[Template, ...] = get_args(Template)


def definition(template: Template) -> Definition:
    """The definition that a template holds."""
    return msgspec.json.decode(Path(__file__).with_name(f"{template}.json").read_bytes(), type=Definition)
