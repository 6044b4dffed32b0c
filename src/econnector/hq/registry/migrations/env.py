"""What Alembic runs: every migration in the connection and transaction that `migrate.upgrade` gives."""

from alembic import context

from econnector.hq.registry.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    # SQLite cannot alter much in place: Alembic then copies the table.
    render_as_batch=connection.dialect.name == "sqlite",
)
with context.begin_transaction():
    context.run_migrations()
