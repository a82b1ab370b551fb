"""Decoders in this very process, behind the interface of the isolated ones: for programs that have asked for it.

A processing program that decodes hundreds of frames a second cannot afford a second process, and reads
the same files in its own one anyway. The checks never use this.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from imgcif_core.images.isolated import Helper
from imgcif_core.images.worker import operations


class OwnProcess(Helper):
    """The operations of the helper process, called directly."""

    def array(self, operation: str, arguments: Mapping[str, Any], blob: bytes = b"") -> np.ndarray:
        """The array that an operation gives; raises what it raises."""
        return np.asarray(self._call(operation, arguments, blob))

    def facts(self, operation: str, arguments: Mapping[str, Any], blob: bytes = b"") -> dict[str, Any]:
        """The plain data that an operation gives; raises what it raises."""
        return dict(self._call(operation, arguments, blob))

    def _call(self, operation: str, arguments: Mapping[str, Any], blob: bytes) -> Any:
        given = {**arguments, "blob": blob} if operation == "cbflib" else arguments
        return operations()[operation](**given)
