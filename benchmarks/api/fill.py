"""Databases full of finished tasks, made in SQL: 90 days of them, all entity types, 2 % failed."""

from dataclasses import dataclass

import psycopg
from psycopg import sql

from schemas.vocabulary import Role
from service.access import add_key
from service.db.migrate import upgrade
from service.db.session import make_engine, make_sessions
from service.stack.postgres import Postgres
from service.tracking.task_counts import add_up_changes

KEY = "sk_benchmark"  # opens nothing but databases that are thrown away
_SAMPLE = 2000

#: Its letters are digits of a ULID, and ids made of the time in hexadecimal order like the time.
_TASKS = """
INSERT INTO tasks (
  id, scope_id, task_type, entity_type, file_type, file_url, file_name, workflow_id, run_id, state, attempt,
  final_attempt, total_records, created_records, rejected_records, error_code, error_summary, metadata,
  started_at, completed_at, failed_at, created_at, updated_at, created_by, updated_by)
SELECT
  'task_0' || lpad(upper(to_hex((extract(epoch FROM moment) * 1000)::bigint)), 12, '0')
    || substr(upper(md5(n::text)), 1, 13),
  %(scope_id)s, kind, (ARRAY['EVENTS', 'PRICES', 'CUSTOMERS', 'FEATURES'])[1 + n %% 4], 'CSV',
  CASE WHEN failed THEN '' ELSE 's3://wharf/tenant/production/file-' || n || '.csv' END, 'file-' || n || '.csv',
  'wf_TaskProcessingWorkflow_' || upper(md5(n::text)), md5((-n)::text)::uuid::text,
  CASE WHEN failed THEN 'FAILED' ELSE 'COMPLETED' END, 1, 5,
  n %% 100000, n %% 100000, 0,
  CASE WHEN failed THEN 'source_unreachable' END,
  CASE WHEN failed THEN 'The source did not answer within 30 s; check that it is up and create the task again' END,
  CASE WHEN n %% 3 = 0 THEN '{"source": "nightly", "run": 7}'::jsonb END,
  moment + interval '1 s', CASE WHEN NOT failed THEN moment + interval '9 s' END,
  CASE WHEN failed THEN moment + interval '9 s' END, moment, moment + interval '9 s', 'user_1', 'user_1'
FROM (
  SELECT n, CASE WHEN n %% 3 = 1 THEN 'EXPORT' ELSE 'IMPORT' END AS kind, n %% 50 = 7 AS failed,
         now() - interval '90 days' * (1 - n / %(tasks)s::float8) AS moment
  FROM generate_series(1, %(tasks)s) n) made
"""


@dataclass(frozen=True, slots=True)
class Filled:
    """A database with so many tasks of one tenant, some of whose ids are known."""

    url: str
    tasks: int
    scope_id: int
    ids: list[str]


def fill_database(postgres: Postgres, tasks: int) -> Filled:
    """A new database with so many tasks, as it is when it has been at rest for a while."""
    name = f"tasks_{tasks}"
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres.url(name)
    upgrade(url)
    add_key(url, "tenant", "production", KEY, "benchmark", Role.ADMIN)
    with psycopg.connect(url, autocommit=True) as connection:
        scope_id = int(_values(connection, "SELECT id FROM scopes")[0])
        connection.execute(_TASKS, {"scope_id": scope_id, "tasks": tasks})
        _add_up_all(url, connection)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")
        ids = _values(connection, f"SELECT id FROM tasks ORDER BY md5(id) LIMIT {_SAMPLE}")
    return Filled(url, tasks, scope_id, ids)


def _add_up_all(url: str, connection: psycopg.Connection[tuple[str, ...]]) -> None:
    """What the sweep does every two seconds, until nothing is left to do."""
    engine = make_engine(url, "benchmark")
    sessions = make_sessions(engine)
    while _values(connection, "SELECT serial FROM task_count_changes LIMIT 1"):
        with sessions.begin() as session:
            add_up_changes(session)
    engine.dispose()


def _values(connection: psycopg.Connection[tuple[str, ...]], query: str) -> list[str]:
    return [row[0] for row in connection.execute(query)]
