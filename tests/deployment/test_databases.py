"""Databases of the stack, in a real PostgreSQL: each its user's, passwords changed."""

import contextlib
from collections.abc import Iterator

import psycopg2
import pytest

from ..production.servers import postgres
from .databases import address_of, make_databases

OLD = {"MLFLOW_DB_PASSWORD": "old-1", "AIRFLOW_DB_PASSWORD": "old-2"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as address:
        make_databases(address, **OLD)
        yield address


def ask(address: str, question: str) -> list[tuple[object, ...]]:
    with contextlib.closing(psycopg2.connect(address)) as connection:
        cursor = connection.cursor()
        cursor.execute(question)
        connection.commit()
        return cursor.fetchall() if cursor.description else []


def test_nobody_reads_the_database_of_another(server: str) -> None:
    ask(address_of(server, "airflow", "old-2"), "CREATE TABLE kept (one int)")
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        ask(address_of(server, "mlflow", "old-1", "airflow"), "SELECT 1")


def test_a_changed_password_holds_and_what_is_kept_stays(server: str) -> None:
    ask(address_of(server, "mlflow", "old-1"), "CREATE TABLE kept (one int)")
    make_databases(server, **OLD | {"MLFLOW_DB_PASSWORD": "it's new"})
    address = address_of(server, "mlflow", "it%27s%20new")
    assert ask(address, "SELECT count(*) FROM kept") == [(0,)]
    with pytest.raises(psycopg2.OperationalError, match="password authentication"):
        ask(address_of(server, "mlflow", "old-1"), "SELECT 1")
    assert ask(address_of(server, "airflow", "old-2"), "SELECT 1") == [(1,)]
