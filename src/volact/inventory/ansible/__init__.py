"""Ansible inventories, INI and YAML, with the group_vars and host_vars beside them.

What Ansible would make of a file is followed as far as addresses and logins
go.  Nothing is executed, decrypted or computed: a vault value, a template or a
program is refused where it would be needed.
"""

from volact.inventory.ansible.read import read_ini, read_yaml

__all__ = ["read_ini", "read_yaml"]
