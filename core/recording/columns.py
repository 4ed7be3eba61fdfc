"""The columns of the estimates of one modality, as an array each, or as a table of a library."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from affetti.core.errors import MissingPackage
from affetti.core.events import Columns, Estimate, column_fields, columns


class EstimateColumns(dict[str, NDArray[Any]]):
    """Columns of estimates by name: first when, then as their kind declares them.

    Attributes
    ----------
    modality
        Of the estimates.
    units, descriptions
        Of each column, by its name; one without a unit has "". Columns that a plug-in named are
        not in them.

    Parameters
    ----------
    modality, kind
        Which, and its declaration.
    table
        The columns in any order.
    """

    def __init__(self, modality: str, kind: type[Estimate], table: Columns) -> None:
        order = ["t_s", "t_ns", *columns(kind, [])]
        first = [name for name in dict.fromkeys(order) if name in table]
        super().__init__({name: table[name] for name in [*first, *sorted(set(table) - set(first))]})
        declared = {name: field for name, field in column_fields(kind).items() if name in self}
        self.modality = modality
        self.units = {name: field.unit for name, field in declared.items()}
        self.descriptions = {name: field.description for name, field in declared.items()}
        if "t_s" in self:
            self.units["t_s"] = "seconds of session time"
            self.descriptions["t_s"] = "when it happened"

    def __repr__(self) -> str:
        rows = len(next(iter(self.values()), ()))
        return f"<Estimates of {self.modality}: {rows} rows of {', '.join(self)}>"

    def to_pandas(self) -> Any:
        """Return a `pandas.DataFrame`; `attrs` of it, and of each column, say what is in it.

        Raises
        ------
        AffettiError
            pandas is not installed.
        """
        try:
            import pandas as pd  # noqa: PLC0415  heavy, and not among what is needed
        except ImportError as error:
            raise MissingPackage("columns.no_pandas", error=error) from error
        frame = pd.DataFrame(dict(self))
        frame.attrs |= {
            "modality": self.modality,
            "units": dict(self.units),
            "descriptions": dict(self.descriptions),
        }
        return frame

    def to_arrow(self) -> Any:
        """Return a `pyarrow.Table`; the metadata of each field have its unit and description.

        Raises
        ------
        AffettiError
            pyarrow is not installed.
        """
        try:
            import pyarrow as pa  # noqa: PLC0415  heavy, and not among what is needed
        except ImportError as error:
            raise MissingPackage("columns.no_pyarrow", error=error) from error
        arrays = [pa.array(_plain(values)) for values in self.values()]
        fields = [
            pa.field(name, array.type, metadata=self._told(name))
            for name, array in zip(self, arrays, strict=True)
        ]
        schema = pa.schema(fields, metadata={"modality": self.modality})
        return pa.Table.from_arrays(arrays, schema=schema)

    def _told(self, name: str) -> dict[str, str]:
        told = {"unit": self.units.get(name, ""), "description": self.descriptions.get(name, "")}
        return {key: value for key, value in told.items() if value}


def _plain(values: NDArray[Any]) -> Any:
    return values.tolist() if values.dtype == object else np.ascontiguousarray(values)
