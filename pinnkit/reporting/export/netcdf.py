"""NetCDF, for xarray, ParaView, MATLAB and the tools of the geosciences."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pinnkit.reporting.exporters import EXPORTERS, Exporter, Table

SCATTERED = "point"
"""The dimension of points that form no grid."""


@EXPORTERS.register("netcdf")
@dataclass(frozen=True)
class NetCDF(Exporter):
    """The classic format with 64-bit offsets (version 2), which every NetCDF library reads.

    On a grid each coordinate is a dimension with its coordinate variable, and fields have these dimensions in the
    coordinates' order; scattered points have one dimension, `point`. A complex column h is written as h_re and h_im.
    Units are attributes of variables, the rest of the metadata global attributes.
    """

    extension: ClassVar[str] = "nc"

    def save(self, path: Path, table: Table) -> None:
        from scipy.io import netcdf_file  # slow to import, and for this format alone

        grid, units = table.grid, table.metadata.get("units") or {}
        with netcdf_file(path, "w", version=2) as file:
            for name, value in table.metadata.items():
                if name != "units":
                    setattr(file, name, _attribute(value))
            dimensions = grid.names if grid.structured else (SCATTERED,)
            for name, size in zip(dimensions, grid.shape, strict=True):
                file.createDimension(name, size)
            variables = {name: ((name,) if grid.structured else dimensions, grid.axis(name)) for name in grid.names}
            columns = table.real_columns()
            variables |= {name: (dimensions, values) for name, values in columns.items()}
            for name, (along, values) in variables.items():
                variable = file.createVariable(name, np.dtype(np.float64), along)
                variable[:] = values
                unknown = name if name in units else name.rpartition("_")[0]  # h_re, u_reference
                if unknown in units:
                    variable.units = _attribute(units[unknown])  # type: ignore[attr-defined]
                if not grid.structured and name in columns:
                    variable.coordinates = _attribute(" ".join(grid.names))  # type: ignore[attr-defined]


def _attribute(value: Any) -> bytes:
    """Text in UTF-8, other values as JSON; never empty, which the format does not have."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode() or b" "
