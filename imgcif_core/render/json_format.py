"""The JSON report of the public schema."""

import json
import math
from typing import Any

from imgcif_core.findings import Report


def render(report: Report) -> str:
    """Strict JSON: numbers that JSON lacks become texts."""
    return json.dumps(strict(report.as_dict()), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def strict(value: Any) -> Any:
    """A value without nan and infinities, and without lone surrogates in texts."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {str(key): strict(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [strict(entry) for entry in value]
    return value
