"""A stamp in the database that changes with every right, whoever changes it, so that a kept answer is never stale (权限版本).

Triggers of the database set it in the same transaction as the change: by a page, by a command, or by hand.
"""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connection

__all__ = ["install", "rights_stamp"]

_WATCHED = ("desk_person", "desk_layerright", "django_session")
"""Tables on which the answer to 'may this session see this layer' rests."""

_SQLITE_TABLE = "CREATE TABLE IF NOT EXISTS desk_rights_stamp (one INTEGER PRIMARY KEY CHECK (one = 1), word TEXT NOT NULL)"

_SQLITE_TRIGGER = """
CREATE TRIGGER IF NOT EXISTS desk_stamp_{table}_{verb} AFTER {verb} ON {table} BEGIN
  INSERT OR REPLACE INTO desk_rights_stamp (one, word) VALUES (1, hex(randomblob(12)));
END
"""

_POSTGRESQL = (
    _SQLITE_TABLE,
    """
    CREATE OR REPLACE FUNCTION desk_new_stamp() RETURNS trigger AS $$
    BEGIN
      INSERT INTO desk_rights_stamp (one, word) VALUES (1, gen_random_uuid()::text)
        ON CONFLICT (one) DO UPDATE SET word = EXCLUDED.word;
      RETURN NULL;
    END $$ LANGUAGE plpgsql
    """,
)

_POSTGRESQL_TRIGGER = """
CREATE OR REPLACE TRIGGER desk_stamp AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION desk_new_stamp()
"""


def install(**_: Any) -> None:
    """Make the stamp and its triggers where they are missing; called after every migration, as that may rebuild tables (建立触发器)."""
    present = set(connection.introspection.table_names())
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(_SQLITE_TABLE)
            words = [_SQLITE_TRIGGER.format(table=t, verb=v) for t in _WATCHED if t in present for v in ("insert", "update", "delete")]
        else:
            for word in _POSTGRESQL:
                cursor.execute(word)
            words = [_POSTGRESQL_TRIGGER.format(table=t) for t in _WATCHED if t in present]
        for word in words:
            cursor.execute(word)


def rights_stamp() -> str:
    """The stamp of this moment; '' where there is none, and then nothing may be kept (权限版本)."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT word FROM desk_rights_stamp")
            found = cursor.fetchone()
    except DatabaseError:
        return ""
    return found[0] if found else ""
