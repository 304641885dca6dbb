"""What volact knows: providers, keys, releases and error codes, as data files.

``load`` reads them; nothing here judges a server.  A new provider is one file
``providers/<name>.toml`` and one test case.
"""
