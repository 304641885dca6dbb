"""Who calls: users, passwords, one-time links, sessions, tokens, OIDC; and what they did.

What a caller may do is ``service.access``'s.  Functions here take a connection inside of a
transaction, so that a change and its line in the audit are stored together.
"""
