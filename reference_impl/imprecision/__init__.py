# SPDX-License-Identifier: MIT
"""How wrong the numbers are that a kernel tells of a large folio, searched with the counting of the model.

    python -m reference_impl.imprecision --help

    ways        the ways of counting that are compared
    world       one folio, the processes that map it, the truth beside what is told
    histories   all states that any sequence of operations reaches, for small folios and few processes
    dial        the steps at which smaps changes its divisor, found by mapping and unmapping
    extremes    the worst states for any order and number of processes
    climb       a local search that knows nothing of averages, to hold against the worst states
    closed      closed forms, held against what was searched
    operations  what each operation writes, and how large the counters are
    patterns    typical use instead of the worst case
    record      what docs/imprecision/ holds

Units: pages (base pages of the folio) and exact fractions of them.  What smaps loses by truncation, less than 1/4096
byte for each page and less than 1 kB for each VMA, is not part of an error here.
"""
