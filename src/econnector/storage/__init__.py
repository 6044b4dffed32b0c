"""How rows and files are reached: Database(url).run(f), the connector's own state file, the safe file store."""
