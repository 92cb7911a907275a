"""How a network is loaded: on one thread, on the processor, quietly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnxruntime

__all__ = ["load"]


def load(path: Path) -> Any:
    """An onnxruntime session that may be run from several threads at once.

    One thread inside: many tracks share few cores, and threads that wait for each other spin. Raises
    FileNotFoundError with the remedy when the file is missing.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run `manage.py speech install`")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
