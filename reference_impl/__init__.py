# SPDX-License-Identifier: MIT
"""The reference model: how Linux counts mappings, as a program that can be read.

One module per chapter (mapcount, sharing, cow, fork, large_folios, refcount, statistics, pfnmap, mixedmap,
driver_pages, lifetime) on shared ground.  Standard library only.
A module imports modules of the lines above its own, or to the left of it; there are no circles:

    units, runs, profile               numbers, run-length maps, behaviours
    folio, device, vma, mm             data: folios and page caches, drivers, VMAs, page tables
    mapcount, kernel, sharing, rmap    counting; the system; who is told shared; mapping and finding mappings
    refcount                           who looks at the reference count before adding to it
    large_folios, swap, unmap          take apart: split, swap out, zap
    pfnmap, mixedmap, lifetime         raw page frame numbers; inserted pages; revoke and free
    hugetlb, files, cow, fork          one kind of fault each, and the copy of an mm
    driver_pages, interfaces           memory of drivers and its faults; what parts of the kernel map
    fault, gup, ksm, collapse          dispatch of faults; who causes them; merge and collapse
    mmap, madvise                      system calls
    queries, procfs, statistics, state, serve   answers
    limit                              a program: the reference count past 2^31

What is not modelled, on purpose: time, locks, races, memory pressure, NUMA, memory cgroups and the per-CPU LRU
batches.  The state is always quiescent: no batch holds a reference, writeback is over.
"""
