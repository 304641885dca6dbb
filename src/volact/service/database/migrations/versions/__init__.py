"""How the tables came to be: one file a version, in `versions/`; Alembic runs them."""
