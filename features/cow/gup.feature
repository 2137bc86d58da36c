# SPDX-License-Identifier: MIT
Feature: Copy-on-write and pages that get_user_pages has handed out

  @cow.get-isolation
  Rule: An anonymous page that a process holds by FOLL_GET MUST NOT change when another process writes, hugetlb excepted

    @cow.get-isolation.child-splices
    Scenario Outline: A child splices and unmaps, the parent writes, the pipe keeps the old content
      Given A has <page>
      And A forks B
      And B vmsplices <spliced> into pipe p
      And B unmaps every page
      When A writes "new" to every page
      Then pipe p holds "old"

      Examples: Base pages
        | page                     | spliced |
        | a base page              | page 0  |
        | a base page, swapped out | page 0  |

      Examples: Huge pages mapped by a PMD
        | page                                          | spliced       |
        | an order-9 folio mapped by a PMD              | pages 0 to 15 |
        | an order-9 folio mapped by a PMD, swapped out | pages 0 to 15 |

      Examples: Folios mapped by PTEs
        | page                            | spliced       |
        | an order-2 folio mapped by PTEs | pages 0 to 3  |
        | an order-3 folio mapped by PTEs | pages 0 to 7  |
        | an order-4 folio mapped by PTEs | pages 0 to 15 |
        | an order-5 folio mapped by PTEs | pages 0 to 15 |
        | an order-6 folio mapped by PTEs | pages 0 to 15 |
        | an order-7 folio mapped by PTEs | pages 0 to 15 |
        | an order-8 folio mapped by PTEs | pages 0 to 15 |
        | an order-9 folio mapped by PTEs | pages 0 to 15 |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         | spliced       |
        | an order-2 folio mapped by PTEs, swapped out | pages 0 to 3  |
        | an order-3 folio mapped by PTEs, swapped out | pages 0 to 7  |
        | an order-4 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-5 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-6 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-7 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-8 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-9 folio mapped by PTEs, swapped out | pages 0 to 15 |

      Examples: Folios of which one page is still mapped
        | page                                  | spliced |
        | an order-2 folio with one page mapped | page 0  |
        | an order-3 folio with one page mapped | page 0  |
        | an order-4 folio with one page mapped | page 0  |
        | an order-5 folio with one page mapped | page 0  |
        | an order-6 folio with one page mapped | page 0  |
        | an order-7 folio with one page mapped | page 0  |
        | an order-8 folio with one page mapped | page 0  |
        | an order-9 folio with one page mapped | page 0  |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               | spliced |
        | an order-2 folio with one page mapped, swapped out | page 0  |
        | an order-3 folio with one page mapped, swapped out | page 0  |
        | an order-4 folio with one page mapped, swapped out | page 0  |
        | an order-5 folio with one page mapped, swapped out | page 0  |
        | an order-6 folio with one page mapped, swapped out | page 0  |
        | an order-7 folio with one page mapped, swapped out | page 0  |
        | an order-8 folio with one page mapped, swapped out | page 0  |
        | an order-9 folio with one page mapped, swapped out | page 0  |

      Examples: Folios of which one half has been moved away
        | page                                  | spliced       |
        | an order-2 folio half moved by mremap | pages 0 to 1  |
        | an order-3 folio half moved by mremap | pages 0 to 3  |
        | an order-4 folio half moved by mremap | pages 0 to 7  |
        | an order-5 folio half moved by mremap | pages 0 to 15 |
        | an order-6 folio half moved by mremap | pages 0 to 15 |
        | an order-7 folio half moved by mremap | pages 0 to 15 |
        | an order-8 folio half moved by mremap | pages 0 to 15 |
        | an order-9 folio half moved by mremap | pages 0 to 15 |

      Examples: Folios of which one page was shared before
        | page                                  | spliced       |
        | an order-2 folio partly shared before | pages 0 to 3  |
        | an order-3 folio partly shared before | pages 0 to 7  |
        | an order-4 folio partly shared before | pages 0 to 15 |
        | an order-5 folio partly shared before | pages 0 to 15 |
        | an order-6 folio partly shared before | pages 0 to 15 |
        | an order-7 folio partly shared before | pages 0 to 15 |
        | an order-8 folio partly shared before | pages 0 to 15 |
        | an order-9 folio partly shared before | pages 0 to 15 |

    @cow.get-isolation.child-splices-mprotect
    Scenario Outline: A child splices and unmaps, the parent writes after an mprotect round trip, the pipe keeps the old content
      Given A has <page>
      And A forks B
      And B vmsplices <spliced> into pipe p
      And B unmaps every page
      And A makes every page read-only
      And A makes every page read-write
      When A writes "new" to every page
      Then pipe p holds "old"

      Examples: Base pages
        | page                     | spliced |
        | a base page              | page 0  |
        | a base page, swapped out | page 0  |

      Examples: Huge pages mapped by a PMD
        | page                                          | spliced       |
        | an order-9 folio mapped by a PMD              | pages 0 to 15 |
        | an order-9 folio mapped by a PMD, swapped out | pages 0 to 15 |

      Examples: Folios mapped by PTEs
        | page                            | spliced       |
        | an order-2 folio mapped by PTEs | pages 0 to 3  |
        | an order-3 folio mapped by PTEs | pages 0 to 7  |
        | an order-4 folio mapped by PTEs | pages 0 to 15 |
        | an order-5 folio mapped by PTEs | pages 0 to 15 |
        | an order-6 folio mapped by PTEs | pages 0 to 15 |
        | an order-7 folio mapped by PTEs | pages 0 to 15 |
        | an order-8 folio mapped by PTEs | pages 0 to 15 |
        | an order-9 folio mapped by PTEs | pages 0 to 15 |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         | spliced       |
        | an order-2 folio mapped by PTEs, swapped out | pages 0 to 3  |
        | an order-3 folio mapped by PTEs, swapped out | pages 0 to 7  |
        | an order-4 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-5 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-6 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-7 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-8 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-9 folio mapped by PTEs, swapped out | pages 0 to 15 |

      Examples: Folios of which one page is still mapped
        | page                                  | spliced |
        | an order-2 folio with one page mapped | page 0  |
        | an order-3 folio with one page mapped | page 0  |
        | an order-4 folio with one page mapped | page 0  |
        | an order-5 folio with one page mapped | page 0  |
        | an order-6 folio with one page mapped | page 0  |
        | an order-7 folio with one page mapped | page 0  |
        | an order-8 folio with one page mapped | page 0  |
        | an order-9 folio with one page mapped | page 0  |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               | spliced |
        | an order-2 folio with one page mapped, swapped out | page 0  |
        | an order-3 folio with one page mapped, swapped out | page 0  |
        | an order-4 folio with one page mapped, swapped out | page 0  |
        | an order-5 folio with one page mapped, swapped out | page 0  |
        | an order-6 folio with one page mapped, swapped out | page 0  |
        | an order-7 folio with one page mapped, swapped out | page 0  |
        | an order-8 folio with one page mapped, swapped out | page 0  |
        | an order-9 folio with one page mapped, swapped out | page 0  |

      Examples: Folios of which one half has been moved away
        | page                                  | spliced       |
        | an order-2 folio half moved by mremap | pages 0 to 1  |
        | an order-3 folio half moved by mremap | pages 0 to 3  |
        | an order-4 folio half moved by mremap | pages 0 to 7  |
        | an order-5 folio half moved by mremap | pages 0 to 15 |
        | an order-6 folio half moved by mremap | pages 0 to 15 |
        | an order-7 folio half moved by mremap | pages 0 to 15 |
        | an order-8 folio half moved by mremap | pages 0 to 15 |
        | an order-9 folio half moved by mremap | pages 0 to 15 |

      Examples: Folios of which one page was shared before
        | page                                  | spliced       |
        | an order-2 folio partly shared before | pages 0 to 3  |
        | an order-3 folio partly shared before | pages 0 to 7  |
        | an order-4 folio partly shared before | pages 0 to 15 |
        | an order-5 folio partly shared before | pages 0 to 15 |
        | an order-6 folio partly shared before | pages 0 to 15 |
        | an order-7 folio partly shared before | pages 0 to 15 |
        | an order-8 folio partly shared before | pages 0 to 15 |
        | an order-9 folio partly shared before | pages 0 to 15 |

    @cow.get-isolation.spliced-before-fork
    Scenario Outline: A parent splices, forks and unmaps, the child writes, the pipe keeps the old content
      Given A has <page>
      And A vmsplices <spliced> into pipe p
      And A forks B
      And A unmaps every page
      When B writes "new" to every page
      Then pipe p holds "old"

      Examples: Base pages
        | page                     | spliced |
        | a base page              | page 0  |
        | a base page, swapped out | page 0  |

      Examples: Huge pages mapped by a PMD
        | page                                          | spliced       |
        | an order-9 folio mapped by a PMD              | pages 0 to 15 |
        | an order-9 folio mapped by a PMD, swapped out | pages 0 to 15 |

      Examples: Folios mapped by PTEs
        | page                            | spliced       |
        | an order-2 folio mapped by PTEs | pages 0 to 3  |
        | an order-3 folio mapped by PTEs | pages 0 to 7  |
        | an order-4 folio mapped by PTEs | pages 0 to 15 |
        | an order-5 folio mapped by PTEs | pages 0 to 15 |
        | an order-6 folio mapped by PTEs | pages 0 to 15 |
        | an order-7 folio mapped by PTEs | pages 0 to 15 |
        | an order-8 folio mapped by PTEs | pages 0 to 15 |
        | an order-9 folio mapped by PTEs | pages 0 to 15 |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         | spliced       |
        | an order-2 folio mapped by PTEs, swapped out | pages 0 to 3  |
        | an order-3 folio mapped by PTEs, swapped out | pages 0 to 7  |
        | an order-4 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-5 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-6 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-7 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-8 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-9 folio mapped by PTEs, swapped out | pages 0 to 15 |

      Examples: Folios of which one page is still mapped
        | page                                  | spliced |
        | an order-2 folio with one page mapped | page 0  |
        | an order-3 folio with one page mapped | page 0  |
        | an order-4 folio with one page mapped | page 0  |
        | an order-5 folio with one page mapped | page 0  |
        | an order-6 folio with one page mapped | page 0  |
        | an order-7 folio with one page mapped | page 0  |
        | an order-8 folio with one page mapped | page 0  |
        | an order-9 folio with one page mapped | page 0  |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               | spliced |
        | an order-2 folio with one page mapped, swapped out | page 0  |
        | an order-3 folio with one page mapped, swapped out | page 0  |
        | an order-4 folio with one page mapped, swapped out | page 0  |
        | an order-5 folio with one page mapped, swapped out | page 0  |
        | an order-6 folio with one page mapped, swapped out | page 0  |
        | an order-7 folio with one page mapped, swapped out | page 0  |
        | an order-8 folio with one page mapped, swapped out | page 0  |
        | an order-9 folio with one page mapped, swapped out | page 0  |

      Examples: Folios of which one half has been moved away
        | page                                  | spliced       |
        | an order-2 folio half moved by mremap | pages 0 to 1  |
        | an order-3 folio half moved by mremap | pages 0 to 3  |
        | an order-4 folio half moved by mremap | pages 0 to 7  |
        | an order-5 folio half moved by mremap | pages 0 to 15 |
        | an order-6 folio half moved by mremap | pages 0 to 15 |
        | an order-7 folio half moved by mremap | pages 0 to 15 |
        | an order-8 folio half moved by mremap | pages 0 to 15 |
        | an order-9 folio half moved by mremap | pages 0 to 15 |

      Examples: Folios of which one page was shared before
        | page                                  | spliced       |
        | an order-2 folio partly shared before | pages 0 to 3  |
        | an order-3 folio partly shared before | pages 0 to 7  |
        | an order-4 folio partly shared before | pages 0 to 15 |
        | an order-5 folio partly shared before | pages 0 to 15 |
        | an order-6 folio partly shared before | pages 0 to 15 |
        | an order-7 folio partly shared before | pages 0 to 15 |
        | an order-8 folio partly shared before | pages 0 to 15 |
        | an order-9 folio partly shared before | pages 0 to 15 |

    @cow.get-isolation.spliced-after-fork
    Scenario Outline: A parent forks, splices and unmaps, the child writes, the pipe keeps the old content
      Given A has <page>
      And A forks B
      And A vmsplices <spliced> into pipe p
      And A unmaps every page
      When B writes "new" to every page
      Then pipe p holds "old"

      Examples: Base pages
        | page                     | spliced |
        | a base page              | page 0  |
        | a base page, swapped out | page 0  |

      Examples: Huge pages mapped by a PMD
        | page                                          | spliced       |
        | an order-9 folio mapped by a PMD              | pages 0 to 15 |
        | an order-9 folio mapped by a PMD, swapped out | pages 0 to 15 |

      Examples: Folios mapped by PTEs
        | page                            | spliced       |
        | an order-2 folio mapped by PTEs | pages 0 to 3  |
        | an order-3 folio mapped by PTEs | pages 0 to 7  |
        | an order-4 folio mapped by PTEs | pages 0 to 15 |
        | an order-5 folio mapped by PTEs | pages 0 to 15 |
        | an order-6 folio mapped by PTEs | pages 0 to 15 |
        | an order-7 folio mapped by PTEs | pages 0 to 15 |
        | an order-8 folio mapped by PTEs | pages 0 to 15 |
        | an order-9 folio mapped by PTEs | pages 0 to 15 |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         | spliced       |
        | an order-2 folio mapped by PTEs, swapped out | pages 0 to 3  |
        | an order-3 folio mapped by PTEs, swapped out | pages 0 to 7  |
        | an order-4 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-5 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-6 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-7 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-8 folio mapped by PTEs, swapped out | pages 0 to 15 |
        | an order-9 folio mapped by PTEs, swapped out | pages 0 to 15 |

      Examples: Folios of which one page is still mapped
        | page                                  | spliced |
        | an order-2 folio with one page mapped | page 0  |
        | an order-3 folio with one page mapped | page 0  |
        | an order-4 folio with one page mapped | page 0  |
        | an order-5 folio with one page mapped | page 0  |
        | an order-6 folio with one page mapped | page 0  |
        | an order-7 folio with one page mapped | page 0  |
        | an order-8 folio with one page mapped | page 0  |
        | an order-9 folio with one page mapped | page 0  |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               | spliced |
        | an order-2 folio with one page mapped, swapped out | page 0  |
        | an order-3 folio with one page mapped, swapped out | page 0  |
        | an order-4 folio with one page mapped, swapped out | page 0  |
        | an order-5 folio with one page mapped, swapped out | page 0  |
        | an order-6 folio with one page mapped, swapped out | page 0  |
        | an order-7 folio with one page mapped, swapped out | page 0  |
        | an order-8 folio with one page mapped, swapped out | page 0  |
        | an order-9 folio with one page mapped, swapped out | page 0  |

      Examples: Folios of which one half has been moved away
        | page                                  | spliced       |
        | an order-2 folio half moved by mremap | pages 0 to 1  |
        | an order-3 folio half moved by mremap | pages 0 to 3  |
        | an order-4 folio half moved by mremap | pages 0 to 7  |
        | an order-5 folio half moved by mremap | pages 0 to 15 |
        | an order-6 folio half moved by mremap | pages 0 to 15 |
        | an order-7 folio half moved by mremap | pages 0 to 15 |
        | an order-8 folio half moved by mremap | pages 0 to 15 |
        | an order-9 folio half moved by mremap | pages 0 to 15 |

      Examples: Folios of which one page was shared before
        | page                                  | spliced       |
        | an order-2 folio partly shared before | pages 0 to 3  |
        | an order-3 folio partly shared before | pages 0 to 7  |
        | an order-4 folio partly shared before | pages 0 to 15 |
        | an order-5 folio partly shared before | pages 0 to 15 |
        | an order-6 folio partly shared before | pages 0 to 15 |
        | an order-7 folio partly shared before | pages 0 to 15 |
        | an order-8 folio partly shared before | pages 0 to 15 |
        | an order-9 folio partly shared before | pages 0 to 15 |

  @cow.pin-unshares
  Rule: A FOLL_PIN for reading MUST first make an unmarked anonymous page exclusive, as a write would

    @cow.pin-unshares.shared
    Scenario Outline: A page that the child still maps is copied by a read with process_vm_readv
      Given A has <page>
      And A forks B
      When A reads page 0 with process_vm_readv
      Then page 0 of A was copied
      And page 0 of B is where it was
      And A reads "old" in page 0

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.pin-unshares.clean
    Scenario: The copy is clean, and so it is until somebody writes to it
      Given A has a base page
      And A forks B
      When A reads page 0 with process_vm_readv
      Then smaps of A shows 4 kB Private_Clean
      And smaps of B shows 4 kB Private_Dirty

    @cow.pin-unshares.then-written
    Scenario Outline: A write after the read finds the page its own
      Given A has <page>
      And A forks B
      And A reads page 0 with process_vm_readv
      When A writes "new" to page 0
      Then page 0 of A was reused
      And B reads "old" in page 0

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.pin-unshares.pmd
    Scenario: A read of one page of a shared huge page splits the PMD and copies that page
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A reads page 3 with process_vm_readv
      Then page 3 of A was copied
      And A has a PTE for every page
      And B has a PMD for every page
      And pages 0 to 2 of A are the same memory as pages 0 to 2 of B
      And pages 4 to 511 of A are the same memory as pages 4 to 511 of B
      And counter thp_split_pmd has risen by 1

    @cow.pin-unshares.last-user
    Scenario Outline: The page of the last user is marked
      Given A has <page>
      And A forks B
      And B exits
      When A reads page 0 with process_vm_readv
      Then page 0 of A is marked exclusive

      Examples:
        | page                             |
        | a base page                      |
        | an order-9 folio mapped by a PMD |
        | a hugetlb page                   |

    @cow.pin-unshares.last-user-seen
    Scenario Outline: Nothing is copied for the last user
      Given A has <page>
      And A forks B
      And B exits
      When A reads page 0 with process_vm_readv
      Then page 0 of A is where it was

      Examples:
        | page                             |
        | a base page                      |
        | an order-9 folio mapped by a PMD |
        | a hugetlb page                   |

    @cow.pin-unshares.large-owner @since:6.18
    Scenario Outline: Nothing is copied for the sole owner of a large folio mapped by PTEs
      Given A has <page>
      And A forks B
      And B exits
      When A reads page 0 with process_vm_readv
      Then page 0 of A is where it was

      Examples:
        | page                            |
        | an order-2 folio                |
        | an order-4 folio                |
        | an order-9 folio mapped by PTEs |

    @cow.pin-unshares.marked
    Scenario Outline: A page that is marked stays where it is
      Given A has <page>
      When A reads every page with process_vm_readv
      Then every page of A is where it was

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.pin-unshares.reference
    Scenario: A FOLL_GET reference makes the read of the last user copy
      Given A has 1 page of private anonymous memory
      And A forks B
      And A vmsplices page 0 into pipe p
      And B exits
      When A reads page 0 with process_vm_readv
      Then page 0 of A was copied

    @cow.pin-unshares.ksm
    Scenario: A KSM page is always copied
      Given A has 2 pages of private anonymous memory
      And A writes "twin6" to every page
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      When A reads page 0 with process_vm_readv
      Then page 0 of A was copied
      And page 1 of A is where it was

    @cow.pin-unshares.read-only
    Scenario: The copy that a read makes is marked, and its entry is read-only
      Given A has 1 page of private anonymous memory
      And A forks B
      When A reads page 0 with process_vm_readv
      Then page 0 of A is marked exclusive
      And page 0 of A is mapped read-only

  @cow.pin-others
  Rule: A short FOLL_PIN for reading MUST leave zero pages and pages of files where they are

    @cow.pin-others.zero
    Scenario Outline: A zero page stays a zero page
      Given A maps <source> privately and reads it
      When A reads page 0 with process_vm_readv
      Then A has <entry> for page 0

      Examples:
        | source                | entry              |
        | anonymous memory      | the zero page      |
        | huge anonymous memory | the huge zero page |

    @cow.pin-others.empty
    Scenario: An empty entry gets the zero page
      Given A maps 1 page of private anonymous memory
      When A reads page 0 with process_vm_readv
      Then A has the zero page for page 0
      And page 0 of A has mapcount 0

    @cow.pin-others.file
    Scenario Outline: A page of a file stays where it is
      Given A maps <source> privately and reads it
      When A reads page 0 with process_vm_readv
      Then page 0 of A is where it was

      Examples:
        | source          |
        | a memfd         |
        | a tmpfs file    |
        | a disk file     |
        | a hugetlb memfd |

  @cow.pin-write
  Rule: A FOLL_PIN for writing to a private mapping MUST give the process a page of its own when it is taken

    @cow.pin-write.shared
    Scenario Outline: A page that the child maps is copied by the pin, not by the write after it
      Given A has <page>
      And A forks B
      When A registers page 0 as io_uring buffer b
      Then page 0 of A was copied
      And page 0 of B is where it was

      Examples: Kinds of pages
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @cow.pin-write.source
    Scenario Outline: What a private mapping only shows is replaced by an anonymous page
      Given A maps <source> privately and reads it
      When A registers page 0 as io_uring buffer b
      Then A has a PTE for page 0
      And page 0 of A is an anon page
      And page 0 of A has mapcount 1

      Examples:
        | source           |
        | anonymous memory |
        | a memfd          |
        | a tmpfs file     |

      @since:6.12
      Examples: A file on a disk, which io_uring refuses to register in 6.1
        | source      |
        | a disk file |

    @cow.pin-write.last-user
    Scenario: The last user has its own page pinned
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      When A registers page 0 as io_uring buffer b
      Then page 0 of A is where it was

    @cow.pin-write.shared-mapping
    Scenario: A page of shared memory is pinned where it is
      Given A maps 1 page of shared anonymous memory
      And A writes "old" to page 0
      When A registers page 0 as io_uring buffer b
      And A writes "new" to page 0
      Then page 0 of A is where it was
      And io_uring buffer b holds "new"

  @cow.pinned
  Rule: An anonymous page that is pinned MUST stay the page that its process reads and writes, until the process gives it up

    @cow.pinned.mprotect
    Scenario Outline: What is written after an mprotect round trip is seen through the pin
      Given A has <page>
      And A registers every page as io_uring buffer b
      And A makes every page read-only
      And A makes every page read-write
      When A writes "new" to every page
      Then io_uring buffer b holds "new"

      Examples: Base pages
        | page                     |
        | a base page              |
        | a base page, swapped out |

      Examples: Huge pages mapped by a PMD
        | page                                          |
        | an order-9 folio mapped by a PMD              |
        | an order-9 folio mapped by a PMD, swapped out |

      Examples: Folios mapped by PTEs
        | page                            |
        | an order-2 folio mapped by PTEs |
        | an order-3 folio mapped by PTEs |
        | an order-4 folio mapped by PTEs |
        | an order-5 folio mapped by PTEs |
        | an order-6 folio mapped by PTEs |
        | an order-7 folio mapped by PTEs |
        | an order-8 folio mapped by PTEs |
        | an order-9 folio mapped by PTEs |

      Examples: Folios mapped by PTEs, swapped out
        | page                                         |
        | an order-2 folio mapped by PTEs, swapped out |
        | an order-3 folio mapped by PTEs, swapped out |
        | an order-4 folio mapped by PTEs, swapped out |
        | an order-5 folio mapped by PTEs, swapped out |
        | an order-6 folio mapped by PTEs, swapped out |
        | an order-7 folio mapped by PTEs, swapped out |
        | an order-8 folio mapped by PTEs, swapped out |
        | an order-9 folio mapped by PTEs, swapped out |

      Examples: Folios of which one page is still mapped
        | page                                  |
        | an order-2 folio with one page mapped |
        | an order-3 folio with one page mapped |
        | an order-4 folio with one page mapped |
        | an order-5 folio with one page mapped |
        | an order-6 folio with one page mapped |
        | an order-7 folio with one page mapped |
        | an order-8 folio with one page mapped |
        | an order-9 folio with one page mapped |

      Examples: Folios of which one page is still mapped, swapped out
        | page                                               |
        | an order-2 folio with one page mapped, swapped out |
        | an order-3 folio with one page mapped, swapped out |
        | an order-4 folio with one page mapped, swapped out |
        | an order-5 folio with one page mapped, swapped out |
        | an order-6 folio with one page mapped, swapped out |
        | an order-7 folio with one page mapped, swapped out |
        | an order-8 folio with one page mapped, swapped out |
        | an order-9 folio with one page mapped, swapped out |

      Examples: Folios of which one half has been moved away
        | page                                  |
        | an order-2 folio half moved by mremap |
        | an order-3 folio half moved by mremap |
        | an order-4 folio half moved by mremap |
        | an order-5 folio half moved by mremap |
        | an order-6 folio half moved by mremap |
        | an order-7 folio half moved by mremap |
        | an order-8 folio half moved by mremap |
        | an order-9 folio half moved by mremap |

      Examples: Folios of which one page was shared before
        | page                                  |
        | an order-2 folio partly shared before |
        | an order-3 folio partly shared before |
        | an order-4 folio partly shared before |
        | an order-5 folio partly shared before |
        | an order-6 folio partly shared before |
        | an order-7 folio partly shared before |
        | an order-8 folio partly shared before |
        | an order-9 folio partly shared before |

      Examples: Pages of hugetlb
        | page           |
        | a hugetlb page |

    @cow.pinned.child-gone
    Scenario: A page that was shared when it was pinned stays with its process after the child has exited
      Given A has 1 page of private anonymous memory
      And A forks B
      And A registers page 0 as io_uring buffer b
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was reused
      And io_uring buffer b holds "new"

    @cow.pinned.mremap
    Scenario: A page that is moved stays the pinned page
      Given A has 1 page of private anonymous memory
      And A registers page 0 as io_uring buffer b
      And A moves page 0 to there
      When A writes "new" to page 0 of there
      Then page 0 of A's there was reused
      And io_uring buffer b holds "new"

  @cow.force @needs:proc-mem-force
  Rule: A FOLL_FORCE write to a read-only private mapping, where the kernel grants it, MUST copy what a write fault would copy, and leave the entry read-only

    @cow.force.shared
    Scenario Outline: A shared page is copied for the writer
      Given A has <page>
      And A forks B
      And A makes every page read-only
      When A writes "new" to page 0 through its mem file
      Then page 0 of A was copied
      And B reads "old" in page 0
      And A reads "new" in page 0

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @cow.force.again
    Scenario: A second FOLL_FORCE write finds the copy of the first
      Given A has 1 page of private anonymous memory
      And A forks B
      And A makes page 0 read-only
      And A writes "new" to page 0 through its mem file
      When A writes "newer" to page 0 through its mem file
      Then page 0 of A was reused

    @cow.force.own
    Scenario Outline: A page that the process has for itself is written in place
      Given A has <page>
      And A makes every page read-only
      When A writes "new" to page 0 through its mem file
      Then every page of A was reused

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @cow.force.still-read-only
    Scenario: The process itself still cannot write
      Given A has 1 page of private anonymous memory
      And A makes page 0 read-only
      When A writes "new" to page 0 through its mem file
      Then A cannot write page 0: SIGSEGV
      And A reads "new" in page 0

    @cow.force.file
    Scenario Outline: A page of a file is copied and the file keeps its content
      Given A maps <source> privately and reads it
      And A maps file f shared as view
      And A makes page 0 read-only
      When A writes "new" to page 0 through its mem file
      Then page 0 of A was copied
      And A reads "old" in page 0 of view

      Examples:
        | source       |
        | a memfd      |
        | a tmpfs file |
        | a disk file  |

    @cow.force.zero
    Scenario: The zero page is replaced
      Given A maps anonymous memory privately and reads it
      And A makes page 0 read-only
      When A writes "new" to page 0 through its mem file
      Then A has a PTE for page 0
      And A reads "new" in page 0

    @cow.force.shared-mapping
    Scenario: A FOLL_FORCE write to a read-only shared mapping is refused
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      And A makes page 0 read-only
      When A tries to write "new" to page 0 through its mem file
      Then it fails with EIO
      And A reads "old" in page 0

    @cow.force.entry
    Scenario: The entry of the copy is marked and read-only
      Given A has 1 page of private anonymous memory
      And A forks B
      And A makes page 0 read-only
      When A writes "new" to page 0 through its mem file
      Then page 0 of A is marked exclusive
      And page 0 of A is mapped read-only

    @cow.force.hugetlb-refused @until:6.12
    Scenario: A FOLL_FORCE write to a read-only hugetlb mapping is refused
      Given A has a hugetlb page
      And A makes every page read-only
      When A tries to write "new" to page 0 through its mem file
      Then it fails with EIO
      And A reads "old" in page 0

    @cow.force.hugetlb @since:6.18
    Scenario: A FOLL_FORCE write to a read-only hugetlb mapping copies like any other
      Given A has a hugetlb page
      And A forks B
      And A makes every page read-only
      When A writes "new" to page 0 through its mem file
      Then page 0 of A was copied
      And B reads "old" in page 0
      And A cannot write page 0: SIGSEGV
