"""The version of a database: made where there is none, raised where it is old, never lowered.

Where there is none the tables are made as they are now.  Alembic is imported only to raise
an old one: a store that is current, which is the rule, costs one query.
"""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import msgspec
import sqlalchemy as sa

from volact.errors import StoreError
from volact.model.text import say
from volact.store.address import StoreAddress
from volact.store.engine import is_sqlite, writing
from volact.store.tables import METADATA

HEAD = "0005"
MIGRATIONS = Path(__file__).parent / "migrations"
# Two processes that meet a new PostgreSQL at once: one waits for the other.
_LOCK = 0x766F6C616374


class Schema(msgspec.Struct, frozen=True):
    """A set of tables with versions of its own.

    Attributes:
        head: the newest version.
        migrations: the folder with Alembic's ``env.py`` and ``versions``.
        tables: as the newest version has them.
        versions: the name of the table that has the version.
    """

    head: str
    migrations: Path
    tables: sa.MetaData
    versions: str = "alembic_version"


STORE = Schema(HEAD, MIGRATIONS, METADATA)


def require_current(
    engine: sa.Engine, address: StoreAddress, schema: Schema = STORE, *, create: bool = True
) -> bool:
    """Bring the database to this version; ``StoreError`` when it is of a newer one.

    Returns: ``False`` where it has nothing of the schema and ``create`` is not set.
    """
    with engine.connect() as connection:
        version = _version(connection, schema)
        if version == schema.head:
            return True
        there = create or _has_tables(connection, schema)
    _require_own(engine, address)
    if not there:
        return False
    _require_older(version, address, schema)
    if address.file is not None:
        ask_for_wal(engine)
    with writing(engine).begin() as connection:
        _wait_for_others(connection)
        version = _version(connection, schema)
        if version != schema.head:
            _require_older(version, address, schema)
            (_create if version is None else _upgrade)(connection, schema)
    return True


def _require_own(engine: sa.Engine, address: StoreAddress) -> None:
    """``StoreError`` for a database with the tables of another program alone."""
    tables = set(sa.inspect(engine).get_table_names()) - {STORE.versions}
    if tables and not tables >= {"runs", "rows"}:
        if address.file is not None:
            hint = say("give {option} another file", option=address.option)
        else:
            hint = say("give {option} another database", option=address.option)
        raise StoreError(say("store {where}: is not a store of volact", where=address.shown), hint)


def _has_tables(connection: sa.Connection, schema: Schema) -> bool:
    """Whether anything of the schema is there, if only the table of its version."""
    names = {schema.versions, *schema.tables.tables}
    return not names.isdisjoint(sa.inspect(connection).get_table_names())


def _create(connection: sa.Connection, schema: Schema) -> None:
    """Make what the migrations would make, without loading Alembic.

    Tables that are there without a version fail it: which version they are of is not known.
    """
    schema.tables.create_all(connection, checkfirst=False)
    versions = sa.Table(
        schema.versions,
        sa.MetaData(),
        sa.Column("version_num", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("version_num", name=f"{schema.versions}_pkc"),
    )
    versions.create(connection, checkfirst=True)
    connection.execute(versions.insert().values(version_num=schema.head))


def _version(connection: sa.Connection, schema: Schema) -> str | None:
    table = sa.table(schema.versions, sa.column("version_num", sa.String))
    if not sa.inspect(connection).has_table(table.name):
        return None
    version = connection.execute(sa.select(table.c.version_num)).scalar()
    return None if version is None else str(version)


def _require_older(version: str | None, address: StoreAddress, schema: Schema) -> None:
    if version is not None and version not in _known(schema):
        raise StoreError(
            say(
                "store {where}: created by a newer volact (version {version}; this volact "
                "supports up to {head})",
                where=address.shown,
                version=version,
                head=schema.head,
            ),
            say(
                "use that version of volact, or give {option} another location",
                option=address.option,
            ),
        )


def _known(schema: Schema) -> set[str]:
    """The versions that this volact can raise."""
    versions = schema.migrations / "versions"
    return {path.name.partition("_")[0] for path in versions.glob("[0-9]*.py")}


def ask_for_wal(engine: sa.Engine) -> None:
    """Ask a file for the write-ahead log; a file system without it keeps its own mode."""
    with closing(engine.raw_connection()) as pooled, closing(pooled.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode = WAL")


def _wait_for_others(connection: sa.Connection) -> None:
    if not is_sqlite(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _upgrade(connection: sa.Connection, schema: Schema) -> None:
    from alembic import command, config  # noqa: PLC0415 - see above

    settings = config.Config(stdout=io.StringIO())
    settings.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")
