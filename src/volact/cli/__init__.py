"""The command line: verbs, options, output, exit codes; no work of its own."""
