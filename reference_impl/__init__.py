# SPDX-License-Identifier: MIT
"""The reference model: how Linux counts mappings, as a program that can be read.

One module per chapter (mapcount, sharing, cow, fork, large_folios) on shared ground (runs, folio, vma, mm,
kernel, fault, files, swap, ksm, gup, hugetlb).  Standard library only.

What is not modelled, on purpose: time, locks, races, memory pressure, NUMA, memory cgroups and the per-CPU LRU
batches.  The state is always quiescent: no batch holds a reference, writeback is over.
"""
