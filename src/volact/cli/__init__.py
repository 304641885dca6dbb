"""The command line: verbs, options, what a person sees, exit codes; no work of its own."""
