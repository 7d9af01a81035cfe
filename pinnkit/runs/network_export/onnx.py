"""ONNX, which runs in many languages and on many devices without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pinnkit.language.errors import Mistake, ProblemError
from pinnkit.reporting.atomic import atomic
from pinnkit.runs.network_exporters import NETWORK_EXPORTERS, NetworkExporter, Subject

if TYPE_CHECKING:
    import numpy as np
    import torch


@NETWORK_EXPORTERS.register("onnx")
@dataclass(frozen=True)
class ONNX(NetworkExporter):
    """The map from coordinates to fields: one input (n,) for each coordinate, one output (n,) for each field.

    Any number of points, in the dtype of the run. Each file is run by ONNX Runtime, and compared with the network,
    before it is written.
    """

    packages: ClassVar[Mapping[str, str]] = {
        "onnx": "onnx",
        "onnxscript": "onnxscript",
        "onnxruntime": "onnxruntime",
    }

    def save(self, folder: Path, subject: Subject) -> Path:
        from pinnkit.runs.field_map import FieldMap, check_agrees, sample
        from pinnkit.runs.traced_map import traced

        field_map, points = FieldMap(subject.module), sample(subject.module)
        program = traced(field_map, points)
        content = _translated(program, points, list(field_map.outputs), subject.metadata)
        check_agrees(subject.module, _run(content, points), points, self.name)
        path = folder / "solution.onnx"
        with atomic(path) as temporary:
            temporary.write_bytes(content)
        return path


def _translated(
    program: torch.export.ExportedProgram,
    points: Mapping[str, torch.Tensor],
    outputs: list[str],
    metadata: Mapping[str, Any],
) -> bytes:
    """A traced map as an ONNX model with its metadata.

    Raises:
        ProblemError: an operation has no translation.
    """
    import torch

    from pinnkit.runs.double_constants import with_constants
    from pinnkit.runs.traced_map import quiet

    names = [f"{name}_value" if name in points else name for name in outputs]
    try:
        with quiet():
            made = torch.onnx.export(
                with_constants(program, points),
                dynamo=True,
                input_names=list(points),
                output_names=names,
                verbose=False,
            )
    except Exception as error:  # whatever the exporter raises
        first = (str(error).splitlines() or [type(error).__name__])[0]
        message = f"onnx has no translation of the network: {type(error).__name__}: {first}; export=pt2 may hold it"
        raise ProblemError([Mistake("export", message)]) from error
    assert made is not None
    model = made.model_proto
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return model.SerializeToString()


def _run(content: bytes, points: Mapping[str, torch.Tensor]) -> dict[str, np.ndarray]:
    """The outputs of a model at points, by ONNX Runtime.

    Raises:
        ProblemError: it cannot run the model, such as an operation that it has in float32 alone.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        values = session.run(None, {name: one.numpy() for name, one in points.items()})
    except Exception as error:  # ONNX Runtime has classes of its own, without a common base
        first = (str(error).splitlines() or [type(error).__name__])[0]
        message = f"ONNX Runtime cannot run the map: {first}; export=pt2 may hold it"
        raise ProblemError([Mistake("export", message)]) from error
    return dict(zip([one.name for one in session.get_outputs()], values, strict=True))
