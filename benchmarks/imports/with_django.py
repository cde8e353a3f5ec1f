"""django-import-export in its bulk mode, as its documentation says to make large imports fast."""

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.imports.samples import CUSTOMER_COLUMNS

# Not dependencies of the project.
django: Any = import_module("django")
settings: Any = import_module("django.conf").settings
_TEXTS = ("external_id", "name", "email", "address_line1", "address_city", "address_state", "address_postal_code")
_NUMBERS = ("import_id", "import_row", "scope_id")


def load(url: str, path: Path) -> float:
    """Load a table file; gives the seconds it took."""
    _configure(url)
    resource = _make_resource(_make_model())
    tablib = import_module("tablib")
    begun = time.perf_counter()
    text = ",".join(CUSTOMER_COLUMNS) + "\n" + path.read_text(encoding="utf-8")
    result = resource.import_data(tablib.Dataset().load(text, format="csv"), raise_errors=True, use_transactions=True)
    seconds = time.perf_counter() - begun
    if result.has_errors():
        message = "rows were not imported"
        raise RuntimeError(message)
    return seconds


def _configure(url: str) -> None:
    parts = urlsplit(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": parts.username,
        "PASSWORD": parts.password,
        "HOST": parts.hostname,
        "PORT": parts.port,
    }
    settings.configure(DATABASES={"default": database}, INSTALLED_APPS=["import_export"], USE_TZ=True)
    django.setup()


def _make_model() -> Any:
    models = import_module("django.db.models")
    meta = type("Meta", (), {"app_label": "benchmark", "db_table": "customers", "managed": False})
    fields = {
        "__module__": __name__,
        "Meta": meta,
        "id": models.CharField(primary_key=True, max_length=100),
        **{name: models.BigIntegerField() for name in _NUMBERS},
        **{name: models.TextField(null=True) for name in (*_TEXTS, "address_country")},
        "metadata": models.JSONField(),
        "created_at": models.DateTimeField(auto_now_add=True),
        "updated_at": models.DateTimeField(auto_now=True),
    }
    return type("Customer", (models.Model,), fields)


def _make_resource(model: Any) -> Any:
    resources = import_module("import_export.resources")
    loaders = import_module("import_export.instance_loaders")
    options = {
        "model": model,
        # Not the id: a bulk update refuses a primary key among its fields.
        "fields": tuple(name for name in CUSTOMER_COLUMNS if name != "id"),
        "import_id_fields": ("external_id",),
        "use_bulk": True,
        "batch_size": 1000,
        "skip_diff": True,
        "skip_html_diff": True,
        "instance_loader_class": loaders.CachedInstanceLoader,
    }
    meta = type("Meta", (), options)
    body = {"Meta": meta, "init_instance": lambda _, row: model(id=row["id"])}
    return type("CustomerResource", (resources.ModelResource,), body)()


if __name__ == "__main__":
    print(json.dumps({"seconds": load(sys.argv[1], Path(sys.argv[2]))}))
