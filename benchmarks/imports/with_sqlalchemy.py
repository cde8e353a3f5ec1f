"""Row by row: one SELECT and one INSERT or UPDATE for each, a commit for every 1,000 of them."""

import csv
import json
import sys
import time
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from benchmarks.imports.samples import CUSTOMER_COLUMNS
from service.db.models import Customer

_COMMIT_ROWS = 1000
_NAMES = ["metadata_" if name == "metadata" else name for name in CUSTOMER_COLUMNS]


def load(url: str, path: Path) -> float:
    """Load a table file; gives the seconds it took."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    begun = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file, Session(engine) as session:
        for number, cells in enumerate(csv.reader(file), 1):
            _load_row(session, dict(zip(_NAMES, cells, strict=True)))
            if number % _COMMIT_ROWS == 0:
                session.commit()
        session.commit()
    return time.perf_counter() - begun


def _load_row(session: Session, cells: dict[str, str]) -> None:
    values = {
        **cells,
        "import_id": int(cells["import_id"]),
        "import_row": int(cells["import_row"]),
        "scope_id": int(cells["scope_id"]),
        "metadata_": json.loads(cells["metadata_"]),
    }
    known = session.scalar(
        select(Customer).where(Customer.scope_id == values["scope_id"], Customer.external_id == values["external_id"])
    )
    if known is None:
        session.add(Customer(**values))
    else:
        for name, value in values.items():
            if name not in {"id", "scope_id", "external_id"}:
                setattr(known, name, value)
    session.flush()


if __name__ == "__main__":
    print(json.dumps({"seconds": load(sys.argv[1], Path(sys.argv[2]))}))
