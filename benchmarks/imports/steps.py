"""What one process spends on each step of loading chunks, with nothing else at work: Wharf's own functions in turn."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from benchmarks.columns.limits import LIMITS
from benchmarks.imports.cases import Case
from benchmarks.imports.samples import SCOPE_ID, write_samples
from benchmarks.imports.tables import reset_table
from schemas.entities import ENTITIES
from schemas.options import read_options
from schemas.vocabulary import EntityType, FileType, Role, TaskType
from service.access import add_key
from service.db.migrate import upgrade
from service.db.models import Task
from service.db.session import Sessions, make_engine, make_sessions
from service.ids import new_id, new_run_id
from service.imports.chunks import is_in_file_order
from service.imports.columns.clean import judge_cells
from service.imports.columns.read import ChunkText
from service.imports.formats.cutter import digest_chunk
from service.imports.merge import Merging, merge_rows
from service.imports.merge.copy_table import copy_lines
from service.imports.plan import ImportPlan
from service.imports.refused import store_refused
from service.imports.survey import Survey
from service.imports.validate import validate_chunk
from service.stack.servers import run_servers

ROWS = 200_000
STEPS = ("survey", "checksum", "read", "judge", "refuse", "render", "merge", "keep refused", "commit")
_BLOCK_BYTES = 1024 * 1024


@dataclass(slots=True)
class Clock:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(STEPS, 0.0))

    @contextmanager
    def time(self, step: str) -> Iterator[None]:
        begun = perf_counter()
        yield
        self.seconds[step] += perf_counter() - begun


def measure_steps(cases: Sequence[Case], folder: Path) -> dict[str, dict[str, float]]:
    """Seconds by step for each case, for a million rows; `case` → step → seconds."""
    files = folder / "few"
    files.mkdir()
    samples = write_samples(files, ROWS)
    found = {}
    with run_servers(folder / "servers", durable=True) as servers:
        url = servers.postgres.url()
        upgrade(url)
        add_key(url, "tenant", "production", "sk_benchmark", "benchmark", Role.ADMIN)
        engine = make_engine(url, "benchmark")
        for case in (case for case in cases if not case.by_upload):
            reset_table(url, case.table, samples.path(case.filled_from) if case.filled_from else None)
            clock = Clock()
            _import(case, samples.path(case.file_name), make_sessions(engine), clock)
            found[case.name] = {step: spent * 1_000_000 / ROWS for step, spent in clock.seconds.items()}
        engine.dispose()
    return found


def _import(case: Case, path: Path, sessions: Sessions, clock: Clock) -> None:
    """What fetch and load do, chunk after chunk; nothing is claimed, and the bytes come from a file."""
    data = path.read_bytes()
    with clock.time("survey"):
        survey = _survey(case, data)
    task = _record(case, survey, sessions)
    plan = ImportPlan.of(task, LIMITS)
    merging = Merging(task, plan.options, in_file_order=is_in_file_order(task.entity_type, plan.options.mode))
    for span in survey.spans:
        piece = data[span.byte_start : span.byte_end]
        with clock.time("checksum"):
            digest_chunk(piece)
        text = ChunkText(piece, plan.reading, span.first_row, span.first_line)
        with clock.time("read"):
            cells = text.read_cells(plan.schema)
        with clock.time("judge"):
            judge_cells(plan.schema, cells)
        begun = perf_counter()
        validated = validate_chunk(plan.schema, text, plan.options.blank)
        clock.seconds["all"] = clock.seconds.get("all", 0.0) + perf_counter() - begun
        with clock.time("render"):
            sum(map(len, copy_lines(validated.table)))
        with sessions() as session:
            with clock.time("merge"):
                merge_rows(session, merging, validated.table)
            with clock.time("keep refused"):
                store_refused(session, task.id, span.number, text, validated.errors, plan.own_ids)
            with clock.time("commit"):
                session.commit()
    # Validating reads and judges, too: what it takes beyond that goes into the rows that are not clean.
    clock.seconds["refuse"] = max(0.0, clock.seconds.pop("all") - clock.seconds["read"] - clock.seconds["judge"])
    clock.seconds["merge"] -= clock.seconds["render"]


def _survey(case: Case, data: bytes) -> Survey:
    entity = ENTITIES[EntityType(case.entity)]
    survey = Survey(entity, FileType(case.file_type), read_options(entity.type, None), LIMITS)
    for start in range(0, len(data), _BLOCK_BYTES):
        survey.read(data[start : start + _BLOCK_BYTES])
    survey.finish()
    return survey


def _record(case: Case, survey: Survey, sessions: Sessions) -> Task:
    """A task that nobody works on."""
    with sessions.begin() as session:
        task = Task(
            id=new_id("task"),
            scope_id=SCOPE_ID,
            task_type=TaskType.IMPORT,
            entity_type=case.entity,
            file_type=case.file_type,
            workflow_id=new_id("wf"),
            run_id=new_run_id(),
            final_attempt=1,
            # Events without an id are named by it; these have ids.
            source_sha256=bytes(32),
            source_columns=list(survey.header),
            source_format=survey.format.to_json(),
        )
        session.add(task)
        session.flush()
        session.refresh(task)
    return task
