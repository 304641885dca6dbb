"""Questions to the store as values: filters, lists by pages, and digests.

A question is a frozen struct; its ``ask``, ``page`` or ``stream`` reads a store and
returns typed values::

    store = open_store()
    down = ServersQuery(filter=ServerFilter(verdicts=("unreachable",)), now=now)
    page = down.page(store, PageRequest(limit=50))
    more = down.page(store, PageRequest(limit=50, cursor=page.next))
    status = StatusQuery(now=now).ask(store)

Everything is answered from columns, by a fixed number of statements however many servers
there are; only a server's history reads whole reports.  Several questions that must agree
are asked of one ``store.snapshot()``.

Every question raises ``StoreError`` where the database fails.  Writing is in
``volact.store``; text, JSON and CSV are in ``volact.report``.
"""
