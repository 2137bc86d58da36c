# SPDX-License-Identifier: MIT
Feature: Which mappings fork copies

  @fork.without-anon-vma
  Rule: fork MUST leave the page table of a mapping without anon_vma empty in the child, if faults can fill it again

    @fork.without-anon-vma.file
    Scenario Outline: Pages of a file that a private mapping only shows are not there in the child
      Given A maps <source> privately and reads it
      When A forks B
      Then B has nothing for page 0
      And page 0 of A has mapcount 1
      And B reads "old" in page 0

      Examples:
        | source          |
        | a memfd         |
        | a tmpfs file    |
        | a disk file     |
        | a hugetlb memfd |

    @fork.without-anon-vma.zero
    Scenario: Zero pages of a mapping that was only read are not there in the child
      Given A maps 2 pages of private anonymous memory
      And A reads every page
      When A forks B
      Then B has nothing for pages 0 to 1
      And B reads "" in page 0

    @fork.without-anon-vma.huge-file
    Scenario: A huge page of shmem that a private mapping only shows is not there in the child
      Given file f has an order-9 folio on tmpfs
      And A maps file f privately
      And A reads page 0
      When A forks B
      Then B has nothing for every page
      And B reads "old" in page 5

  @fork.with-anon-vma
  Rule: fork MUST copy the PTEs of a private mapping that has an anon_vma, also those of pages of a file

    @fork.with-anon-vma.one-copied
    Scenario Outline: One page that was written makes all the others be there in the child
      Given file f has 4 pages on <place>
      And A maps file f privately
      And A reads every page
      And A writes "new" to page 0
      When A forks B
      Then B has a PTE for every page
      And pages 1 to 3 of A have mapcount 2
      And pages 1 to 3 of B are the same memory as pages 1 to 3 of A

      Examples:
        | place              |
        | memfd              |
        | tmpfs              |
        | a disk file system |

    @fork.with-anon-vma.discarded
    Scenario: The other pages are there in the child also when the written page has been discarded
      Given file f has 4 pages on memfd
      And A maps file f privately
      And A writes "new" to page 0
      And A calls MADV_DONTNEED on page 0
      And A reads pages 1 to 3
      When A forks B
      Then B has a PTE for pages 1 to 3
      And pages 1 to 3 of A have mapcount 2

    @fork.with-anon-vma.child
    Scenario: A grandchild finds the pages of the file too
      Given file f has 2 pages on memfd
      And A maps file f privately
      And A reads every page
      And A writes "new" to page 0
      And A forks B
      When B forks C
      Then C has a PTE for every page
      And page 1 of A has mapcount 3

    @fork.with-anon-vma.child-writes
    Scenario: A page of the file that the child got by fork is copied by its write
      Given file f has 2 pages on memfd
      And A maps file f privately
      And A reads every page
      And A writes "new" to page 0
      And A forks B
      When B writes "b" to page 1
      Then page 1 of B was copied
      And A reads "old" in page 1

  @fork.file-pmd @pmd_order:9
  Rule: fork MUST skip a PMD that maps a huge page of a file, also where it copies PTEs

    @fork.file-pmd.private
    Scenario: Of a private mapping with an anonymous page the PTEs are copied and the file's PMD is not
      Given file f has 2 order-9 folios on tmpfs
      And A maps file f privately
      And A reads page 0
      And A writes "new" to page 600
      Then A has a PMD for pages 0 to 511
      When A forks B
      Then B has nothing for pages 0 to 511
      And B has a PTE for page 600
      And B reads "old" in page 5
      And B reads "new" in page 600

  @fork.shared-mapping
  Rule: fork MUST leave the page table of a shared mapping empty in the child, if faults can fill it again

    @fork.shared-mapping.anonymous
    Scenario: Shared anonymous memory is not there until the child touches it
      Given A maps 1 page of shared anonymous memory
      And A writes "old" to page 0
      When A forks B
      Then B has nothing for page 0
      And page 0 of A has mapcount 1
      When B reads page 0
      Then page 0 of B is the same memory as page 0 of A
      And page 0 of A has mapcount 2

    @fork.shared-mapping.file
    Scenario Outline: Pages of a shared file mapping are not there until the child touches them
      Given file f has 1 page on <place>
      And A maps file f shared
      And A writes "new" to page 0
      When A forks B
      Then B has nothing for page 0
      And page 0 of A has mapcount 1
      And B reads "new" in page 0
      And page 0 of A has mapcount 2

      Examples:
        | place              |
        | memfd              |
        | tmpfs              |
        | a disk file system |

    @fork.shared-mapping.huge
    Scenario: A huge page of shmem is not there until the child touches it, and is then mapped by a PMD
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And A reads page 0
      When A forks B
      Then B has nothing for every page
      When B reads page 5
      Then B has a PMD for every page

    @fork.shared-mapping.parent-writable
    Scenario: The entry of the parent stays writable
      Given A maps 1 page of shared anonymous memory
      And A writes "old" to page 0
      When A forks B
      Then page 0 of A is mapped writable

  @fork.dontfork
  Rule: Memory with MADV_DONTFORK MUST NOT exist in the child, and MUST stay as it is in the parent, marker and all

    @fork.dontfork.access
    Scenario Outline: The child is killed by SIGSEGV where the parent has the memory
      Given A has <page>
      And A calls MADV_DONTFORK on every page
      When A forks B
      Then B cannot read page 0: SIGSEGV
      And B cannot write page 0: SIGSEGV
      And A reads "old" in page 0

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @fork.dontfork.untouched
    Scenario: The parent's page is neither counted twice nor moved
      Given A has 1 page of private anonymous memory
      And A calls MADV_DONTFORK on page 0
      When A forks B
      Then page 0 of A has mapcount 1
      And page 0 of A is mapped exclusively
      When A writes "new" to page 0
      Then page 0 of A was reused

    @fork.dontfork.marker
    Scenario Outline: The parent's pages keep marker and write permission
      Given A has <page>
      And A calls MADV_DONTFORK on every page
      When A forks B
      Then every page of A is marked exclusive
      And every page of A is mapped writable

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | a hugetlb page                   |

      @since:6.12
      Examples: The mprotect that maps it by PTEs takes the write permission away in 6.1
        | page                            |
        | an order-9 folio mapped by PTEs |

    @fork.dontfork.undone
    Scenario: Memory is shared again after MADV_DOFORK
      Given A has 1 page of private anonymous memory
      And A calls MADV_DONTFORK on page 0
      And A calls MADV_DOFORK on page 0
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

    @fork.dontfork.some-pages
    Scenario: Only the pages that were named are missing
      Given A has 3 pages of private anonymous memory
      And A calls MADV_DONTFORK on page 1
      When A forks B
      Then B reads "old" in page 0
      And B cannot read page 1: SIGSEGV
      And B reads "old" in page 2

    @fork.dontfork.shared-mapping
    Scenario: A shared mapping can be kept from the child as well
      Given A maps 1 page of shared anonymous memory
      And A writes "old" to page 0
      And A calls MADV_DONTFORK on page 0
      When A forks B
      Then B cannot read page 0: SIGSEGV

    @fork.dontfork.part-of-folio
    Scenario: A PMD is split at the boundary, and the child gets its half by PTEs
      Given A has an order-9 folio mapped by a PMD
      And A calls MADV_DONTFORK on pages 256 to 511
      When A forks B
      Then A has a PTE for every page
      And B has a PTE for pages 0 to 255
      And pages 0 to 255 of B are the same memory as pages 0 to 255 of A
      And B cannot read page 256: SIGSEGV

    @fork.dontfork.part-mapcounts @config:page_mapcount
    Scenario Outline: Pages of one folio have different mapcounts
      Given A has <page>
      And A calls MADV_DONTFORK on <upper>
      When A forks B
      Then <lower> of A have mapcount 2
      And <upper> of A have mapcount 1
      And <upper> of A are mapped exclusively

      Examples:
        | page                             | lower          | upper            |
        | an order-2 folio                 | pages 0 to 1   | pages 2 to 3     |
        | an order-4 folio                 | pages 0 to 7   | pages 8 to 15    |
        | an order-9 folio mapped by a PMD | pages 0 to 255 | pages 256 to 511 |

    @fork.dontfork.part-marker
    Scenario Outline: Marked and unmarked pages live side by side in the folio
      Given A has <page>
      And A calls MADV_DONTFORK on <upper>
      When A forks B
      Then <lower> of A are not marked exclusive
      And <upper> of A are marked exclusive

      Examples:
        | page                             | lower          | upper            |
        | an order-2 folio                 | pages 0 to 1   | pages 2 to 3     |
        | an order-4 folio                 | pages 0 to 7   | pages 8 to 15    |
        | an order-9 folio mapped by a PMD | pages 0 to 255 | pages 256 to 511 |

  @fork.wipeonfork
  Rule: Memory with MADV_WIPEONFORK MUST be empty in the child and untouched in the parent

    @fork.wipeonfork.zeros
    Scenario Outline: The child reads zeros, the parent what it wrote
      Given A has <page>
      And A calls MADV_WIPEONFORK on every page
      When A forks B
      Then B has nothing for every page
      And B reads "" in page 0
      And A reads "old" in every page

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @fork.wipeonfork.untouched
    Scenario Outline: The parent's pages are not shared and are written in place
      Given A has <page>
      And A calls MADV_WIPEONFORK on every page
      And A forks B
      Then every page of A is mapped exclusively
      When A writes "new" to every page
      Then every page of A was reused

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @fork.wipeonfork.marker
    Scenario Outline: Entries of the parent keep marker and write permission when the child's are wiped
      Given A has <page>
      And A calls MADV_WIPEONFORK on every page
      When A forks B
      Then every page of A is marked exclusive
      And every page of A is mapped writable

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @fork.wipeonfork.inherited
    Scenario: A grandchild finds what its parent wrote wiped, too
      Given A has 1 page of private anonymous memory
      And A calls MADV_WIPEONFORK on page 0
      And A forks B
      And B writes "b" to page 0
      When B forks C
      Then C reads "" in page 0
      And B reads "b" in page 0

    @fork.wipeonfork.no-anon-vma
    Scenario: The wiped mapping has no anon_vma in the child
      Given A has 1 page of private anonymous memory
      And A calls MADV_WIPEONFORK on page 0
      And A forks B
      And B calls MADV_KEEPONFORK on page 0
      And B reads page 0
      When B forks C
      Then C has nothing for page 0

    @fork.wipeonfork.undone
    Scenario: Memory is shared again after MADV_KEEPONFORK
      Given A has 1 page of private anonymous memory
      And A calls MADV_WIPEONFORK on page 0
      And A calls MADV_KEEPONFORK on page 0
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

    @fork.wipeonfork.files
    Scenario Outline: A mapping of a file is refused
      Given A maps <source> privately and reads it
      When A tries MADV_WIPEONFORK on page 0
      Then it fails with EINVAL

      Examples:
        | source       |
        | a memfd      |
        | a tmpfs file |
        | a disk file  |

    @fork.wipeonfork.hugetlb
    Scenario: hugetlb memory is refused
      Given A has a hugetlb page
      When A tries MADV_WIPEONFORK on every page
      Then it fails with EINVAL

    @fork.wipeonfork.shared
    Scenario: Shared anonymous memory is refused
      Given A maps 1 page of shared anonymous memory
      When A tries MADV_WIPEONFORK on page 0
      Then it fails with EINVAL
