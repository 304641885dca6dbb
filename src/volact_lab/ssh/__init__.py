"""The simulated servers' SSH side: listeners, logins, SFTP, commands."""
