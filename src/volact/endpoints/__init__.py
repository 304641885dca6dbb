"""Health of the provider's KMS, time and DNS servers, as seen from this machine.

A check is a connection and a greeting, never an activation.  Every outcome is a value with
a word; no error of another machine is raised.  What a *server* reaches is a fact of its
own and comes from the agent.

    found = await check.check_endpoints([HostPort("kms.example.test")], timeout_s=3.0)
    print(found.ok, [host.word for host in found.kms])
"""
