"""The lab's own servers on the network: KMS host, NTP server, metadata server."""
