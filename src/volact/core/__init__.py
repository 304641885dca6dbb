"""Facts in, findings, plan and verdict out: every decision volact makes.

Pure: no I/O, no clock, no randomness; every input is an argument.
``facts`` reads an answer, ``assessment`` works out once what several rules need,
``findings`` judges, ``plan`` decides, ``verify`` gives the verdict on the server afterwards::

    facts = read_facts(answer.facts, clock)
    a = assess(facts, ctx)
    plan = make_plan(a, diagnose(a))

Of these only ``read_facts`` raises: an ``AnswerError`` for an answer of another form.
"""
