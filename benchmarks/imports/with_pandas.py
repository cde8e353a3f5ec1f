"""pandas: `read_csv`, then `to_sql`, which only adds rows; "multi" puts many rows into each INSERT."""

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.dialects.postgresql import JSONB

from benchmarks.imports.samples import CUSTOMER_COLUMNS

pandas: Any = import_module("pandas")  # not a dependency of the project
# As many rows as give an INSERT of some ten thousand parameters; 65,535 are the most.
_CHUNK_ROWS = 1000


def load(url: str, path: Path, method: str | None) -> float:
    """Load a table file; gives the seconds it took."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    begun = time.perf_counter()
    texts = {name: str for name in CUSTOMER_COLUMNS if name not in {"import_id", "import_row", "scope_id"}}
    frame = pandas.read_csv(path, header=None, names=list(CUSTOMER_COLUMNS), dtype=texts)
    frame["metadata"] = frame["metadata"].map(json.loads)
    frame.to_sql(
        "customers",
        engine,
        if_exists="append",
        index=False,
        method=method,
        chunksize=_CHUNK_ROWS,
        dtype={"metadata": JSONB},
    )
    return time.perf_counter() - begun


if __name__ == "__main__":
    print(json.dumps({"seconds": load(sys.argv[1], Path(sys.argv[2]), sys.argv[3] if sys.argv[3:] else None)}))
