"""impacket's DCE/RPC server with the KMS interface in its list and no operation behind it."""

from __future__ import annotations

from impacket.dcerpc.v5.rpcrt import DCERPCServer

KMS = ("51c82175-844e-4750-b0d8-ec255555bc06", "1.0")

if __name__ == "__main__":
    server = DCERPCServer()
    server.addCallbacks(KMS, "1688", {})
    print(server.getListenPort(), flush=True)  # noqa: T201  # the test reads it
    server.run()
