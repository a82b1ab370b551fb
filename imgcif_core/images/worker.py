"""The helper process: reads requests from standard input and answers on standard output.

Run as `python -m imgcif_core.images.worker`; see `imgcif_core.images.isolated`. An exception that no
decoder is known to raise is answered by the hook for uncaught ones, and ends the process.
"""

import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np

from imgcif_core.images.limits import GIB, BytesError

MEMORY_LIMIT = 12 * GIB
LIBRARIES = 1 * GIB // 2
_EXPECTED = (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError, EOFError, OverflowError)


def decode_by_cbflib(blob: bytes, *, is_real: bool, compression: str) -> np.ndarray:
    """The elements of the one binary section of a CBF, as CBFlib decodes them."""
    try:
        import pycbf
    except ImportError:
        raise BytesError("unsupported", "this compression is decoded by pycbf, which is not installed") from None
    if compression == "nibble_offset" and not hasattr(pycbf, "CBF_NIBBLE_OFFSET"):
        raise BytesError("unsupported", "the installed CBFlib does not know nibble_offset")
    handle = pycbf.cbf_handle_struct()
    handle.read_buffer(blob, 0)
    handle.select_category(0)
    handle.select_column(0)
    handle.select_row(0)
    if is_real:
        width, kind = handle.get_realarrayparameters_wdims_fs()[2], "f"
        data = handle.get_realarray_as_string()
    else:
        found = handle.get_integerarrayparameters_wdims_fs()
        width, kind = found[2], "i" if found[3] else "u"
        data = handle.get_integerarray_as_string()
    return np.frombuffer(data, np.dtype(f"<{kind}{width}"))


def operations() -> dict[str, Callable[..., Any]]:
    """What can be asked for, by name."""
    from imgcif_core.images import fabio_files, hdf5_frames, unpacking

    return {
        "cbflib": decode_by_cbflib,
        "hdf5_facts": hdf5_frames.facts,
        "hdf5_layout": hdf5_frames.layout,
        "hdf5_frame": hdf5_frames.frame,
        "hdf5_header": hdf5_frames.header,
        "archive_listing": unpacking.listing,
        "archive_fetch": unpacking.fetch,
        "fabio_facts": fabio_files.facts,
        "fabio_frame": fabio_files.frame,
    }


class _Costs:
    """What requests cost: computing time, and the size of files that links led to."""

    def __init__(self) -> None:
        self._at = time.process_time()

    def begin(self, seconds: float | None) -> None:
        """Let the system end this process where a request computes for longer."""
        try:
            import resource
        except ImportError:
            return
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        wanted = hard if seconds is None else math.ceil(time.process_time() + seconds) + 1
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))

    def end(self) -> dict[str, Any]:
        """The costs since the last request."""
        from imgcif_core.images.hdf5_door import take_linked_bytes

        before, self._at = self._at, time.process_time()
        return {"cpu": self._at - before, "linked": take_linked_bytes()}


_COSTS = _Costs()


def _answer(output: BinaryIO, found: Any) -> None:
    """Send an array, or plain data."""
    if isinstance(found, np.ndarray):
        array = np.ascontiguousarray(found)
        head = {"dtype": array.dtype.str, "shape": list(array.shape), "size": array.nbytes, **_COSTS.end()}
        output.write(json.dumps(head).encode() + b"\n")
        output.write(memoryview(array).cast("B") if array.size else b"")
    else:
        output.write(json.dumps({"facts": found, "size": 0, **_COSTS.end()}).encode() + b"\n")
    output.flush()


def _refuse(output: BinaryIO, kind: str, text: str, *, is_last: bool = False) -> None:
    """Send the reason why there is no answer."""
    answer = {"error": kind, "text": " ".join(text.split())[:400], "is_last": is_last, **_COSTS.end()}
    output.write(json.dumps(answer).encode() + b"\n")
    output.flush()


def _serve(requests: BinaryIO, output: BinaryIO, known: Mapping[str, Callable[..., Any]]) -> None:
    """Answer requests until there are no more."""
    for line in iter(requests.readline, b""):
        request = json.loads(line)
        blob = requests.read(request["size"])
        arguments = request["arguments"]
        _COSTS.begin(request.get("cpu"))
        if request["operation"] == "cbflib":
            arguments["blob"] = blob
        try:
            found = known[request["operation"]](**arguments)
            if not _met_hole(output):
                _answer(output, found)
        except BytesError as refusal:
            if not _met_hole(output):
                _refuse(output, refusal.kind, str(refusal))
        except MemoryError:
            _refuse(output, "limit", "it takes more memory than one decoder may (--limit memory=SIZE allows more)")
        except _EXPECTED as error:
            if not _met_hole(output):
                _refuse(output, "damaged", _described(error))


def _met_hole(output: BinaryIO) -> bool:
    """Tell that a part of a file is wanted that is not at hand; whatever came of the request rests on it."""
    from imgcif_core.images import hdf5_frames, sparse

    hole = sparse.hole_met()
    if hole is not None:
        hdf5_frames.forget()
        _refuse(output, "ranges", hole)
    return hole is not None


def _described(error: BaseException) -> str:
    """One line about what a decoder raised."""
    return f"{error}" or type(error).__name__


def _bound_memory() -> None:
    """Let the process fail rather than the machine."""
    try:
        import resource
    except ImportError:
        return
    # Beside what is asked for, the libraries themselves take address space.
    wanted = os.environ.get("IMGCIF_WORKER_MEMORY", "")
    memory = int(wanted) + LIBRARIES if wanted.isdigit() else MEMORY_LIMIT
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (soft, hard))


def main(more: Mapping[str, Callable[..., Any]] | None = None) -> None:
    """Serve, further operations too; what libraries print to standard output must not reach the answers."""
    output = os.fdopen(os.dup(1), "wb")
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)

    def last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        text = str(error) if kind is Exception else f"{kind.__name__}: {error}"
        _refuse(output, "damaged", text, is_last=True)

    sys.excepthook = last_words
    _bound_memory()
    _serve(sys.stdin.buffer, output, {**operations(), **(more or {})})


if __name__ == "__main__":
    main()
