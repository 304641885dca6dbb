"""Windows Management Instrumentation: WQL, classes by release, rows and methods."""
