"""The reproduction of arXiv:2410.22212: its figures and tables, an audit of its numbers, and one report.

The package stands beside the library, which never imports it. `spinbattery reproduce` finds ``cli.py`` through the
entry-point group ``spinbattery.commands``.

Each figure, table or open question of the paper is one module, called a part. Data flow in one direction::

    parameters  ->  requests  ->  runs  ->  section  ->  report

parameters
    ``parameters.py`` holds the settings that several parts share and the values that the paper prints. ``device.py``
    holds the networks and protocols of the annealer, ``beyond.py`` the exact runs beyond the paper.
requests
    ``REQUESTS`` of a part lists the runs it needs; each :class:`~charging_paper.runs.Request` is one network with one
    protocol. ``build.PARTS`` names all parts.
runs
    :class:`~charging_paper.runs.Runs` makes the requests of all chosen parts by one sweep. Parts share runs, and a run
    that is in the store is not made again. ``measured.py`` replaces the annealer's runs by jobs on a real one.
section
    ``build(runs)`` of a part turns its finished runs into a :class:`~charging_paper.section.Section`: paragraphs,
    figures, tables, and audit rows. An audit row sets a value of the paper beside ours and gives a verdict.
    ``cells.py`` writes the numbers that appear in several parts.
report
    ``build.py`` writes the figures, ``audit.json`` and ``report.html`` (``page.py`` with the template ``page.html``).

A part with runs that take minutes has a function ``part(...)``, too: it takes another choice of these runs, for tests.
A new part is a module with ``REQUESTS`` and ``build``, and a line in ``build.PARTS``.
"""
