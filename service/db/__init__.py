"""PostgreSQL: the tables, their migrations, and how a session is opened."""
