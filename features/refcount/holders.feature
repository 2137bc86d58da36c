# SPDX-License-Identifier: MIT
Feature: Who holds how many references

  @refcount.entry
  Rule: Each leaf entry of a page MUST hold one reference to its folio, whether it maps one page or all of them

    @refcount.entry.anonymous
    Scenario Outline: <page> of one process has <references>
      Given A has <page>
      Then the folio of page 0 of A has <references>

      Examples:
        | page                                    | references     |
        | a base page                             | 1 reference    |
        | an order-2 folio                        | 4 references   |
        | an order-4 folio                        | 16 references  |
        | an order-4 folio half moved by mremap   | 16 references  |
        | an order-4 folio with one page mapped   | 1 reference    |
        | an order-9 folio mapped by a PMD        | 1 reference    |
        | an order-9 folio mapped by PTEs         | 512 references |
        | an order-9 folio with one page mapped   | 1 reference    |
        | a hugetlb page                          | 1 reference    |

    @refcount.entry.pmd-and-ptes
    Scenario: A PMD in the parent and 512 PTEs in the child make 513 references
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B's mem is mapped by PTEs
      Then A has a PMD for every page
      And the folio of page 0 of A has 513 references

    @refcount.entry.child-exits
    Scenario: What the PTEs of the child held goes with the child
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B's mem is mapped by PTEs
      When B exits
      Then the folio of page 0 of A has 1 reference

    @refcount.entry.hole
    Scenario: A hole of 100 pages is 100 references less
      Given A has an order-9 folio mapped by PTEs
      When A unmaps pages 100 to 199
      Then the folio of page 0 of A has 412 references

    @refcount.entry.copy
    Scenario: A page that the child copies takes one reference with it
      Given A has an order-4 folio
      And A forks B
      When B writes "new" to page 3
      Then the folio of page 0 of A has 31 references
      And the folio of page 3 of B has 1 reference

  @refcount.page-cache
  Rule: The page cache MUST hold one reference for each page of a folio, but in 6.1 one for a whole hugetlb folio

    @refcount.page-cache.small
    Scenario Outline: A page on <filesystem> that one PTE maps has 2 references
      Given file f has 1 page on <filesystem>
      And A maps file f shared
      When A reads page 0
      Then the folio of page 0 of A has 2 references

      Examples:
        | filesystem |
        | memfd      |
        | tmpfs      |

    @refcount.page-cache.pmd @pmd_order:9
    Scenario: A folio of 512 pages that one PMD maps has 513 references
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      When A reads page 0
      Then the folio of page 0 of A has 513 references

    @refcount.page-cache.ptes
    Scenario: A folio of 16 pages that 16 PTEs map has 32 references
      Given file f has an order-4 folio on memfd
      And A maps file f shared
      When A reads every page
      Then the folio of page 0 of A has 32 references

    @refcount.page-cache.private
    Scenario: A private mapping that only reads holds the same as a shared one
      Given file f has 1 page on memfd
      And A maps file f privately
      When A reads page 0
      Then the folio of page 0 of A has 2 references

    @refcount.page-cache.copied
    Scenario: The private copy of a page leaves the reference of the page cache behind
      Given file f has 1 page on memfd
      And A maps file f privately
      And B maps file f shared
      And B reads page 0
      When A writes "new" to page 0
      Then the folio of page 0 of A has 1 reference
      And the folio of page 0 of B has 2 references

    @refcount.page-cache.hugetlb @since:6.12
    Scenario: A hugetlb folio of a file has 512 references of the page cache
      Given A maps a hugetlb memfd shared and reads it
      Then the folio of page 0 of A has 513 references

    @refcount.page-cache.hugetlb-once @until:6.1
    Scenario: In 6.1 a hugetlb folio of a file has one reference of the page cache
      Given A maps a hugetlb memfd shared and reads it
      Then the folio of page 0 of A has 2 references

  @refcount.swap-cache
  Rule: The swap cache MUST hold one reference for each page of a folio

    @refcount.swap-cache.read-back
    Scenario: A page that one process has read back, while its child still has the swap entry, has 2 references
      Given A has a base page, swapped out
      And A forks B
      When A reads page 0
      Then B has a swap entry for page 0
      And the folio of page 0 of A has 2 references
      And the folio of page 0 of A is expected to have 2 references

  @refcount.zero-page
  Rule: An entry of the zero page MUST hold no reference, and FOLL_GET of it MUST take one

    @refcount.zero-page.entries
    Scenario: Three processes that read the zero page hold no reference to it
      Given A maps 1 page of private anonymous memory
      And A reads page 0
      And a driver takes 1 reference to page 0 of A
      When A forks B1 to B2
      And B1 to B2 read page 0
      Then the folio of page 0 of A has 2 references

    @refcount.zero-page.get
    Scenario: A pipe with the zero page holds a reference to it
      Given A maps 1 page of private anonymous memory
      And A reads page 0
      When A vmsplices page 0 into pipe p
      Then A has the zero page for page 0
      And the folio of page 0 of A has 2 references

  @refcount.get
  Rule: FOLL_GET MUST take one reference for each page, and all of them on the folio

    @refcount.get.one
    Scenario Outline: A pipe with one page of <page> adds one reference
      Given A has <page>
      When A vmsplices page 0 into pipe p
      Then the folio of page 0 of A has <references>

      Examples:
        | page                             | references     |
        | a base page                      | 2 references   |
        | an order-4 folio                 | 17 references  |
        | an order-9 folio mapped by a PMD | 2 references   |
        | an order-9 folio mapped by PTEs  | 513 references |
        | a hugetlb page                   | 2 references   |

    @refcount.get.whole
    Scenario: A pipe with all 512 pages under one PMD holds 512 references
      Given A has an order-9 folio mapped by a PMD
      When A vmsplices every page into pipe p
      Then the folio of page 0 of A has 513 references
      And the folio of page 0 of A has mapcount 1

    @refcount.get.closed
    Scenario: What the pipe held is given back when it is closed
      Given A has an order-9 folio mapped by a PMD
      And A vmsplices every page into pipe p
      When pipe p is closed
      Then the folio of page 0 of A has 1 reference

  @refcount.tee
  Rule: tee MUST take a reference of its own for each page that two pipes then share

    @refcount.tee.pages
    Scenario: Two pipes with the same two pages hold two references each
      Given A has an order-4 folio
      And A vmsplices pages 0 to 1 into pipe p
      When pipe p is teed into pipe q
      Then the folio of page 0 of A has 20 references

    @refcount.tee.closed
    Scenario: The second pipe keeps its reference when the first is closed
      Given A has a base page
      And A vmsplices page 0 into pipe p
      And pipe p is teed into pipe q
      When pipe p is closed
      Then the folio of page 0 of A has 2 references
      And pipe q holds "old"

  @refcount.move
  Rule: mremap and mprotect MUST NOT change the reference count, unless they split a PMD

    @refcount.move.mremap
    Scenario Outline: <page> that is moved has <references> as before
      Given A has <page>
      When A moves every page to moved
      Then the folio of page 0 of A's moved has <references>

      Examples:
        | page                             | references     |
        | a base page                      | 1 reference    |
        | an order-4 folio                 | 16 references  |
        | an order-9 folio mapped by PTEs  | 512 references |
        | an order-9 folio mapped by a PMD | 1 reference    |

    @refcount.move.misaligned
    Scenario: A PMD that is moved one page off its alignment becomes 512 references
      Given A has an order-9 folio mapped by a PMD
      When A moves every page to moved, 1 page off its alignment
      Then the folio of page 0 of A's moved has 512 references

    @refcount.move.mprotect
    Scenario: mprotect of all that a PMD maps leaves it one reference, mprotect of a part makes it 512
      Given A has an order-9 folio mapped by a PMD
      When A makes every page read-only
      Then the folio of page 0 of A has 1 reference
      When A makes page 0 read-write
      Then the folio of page 0 of A has 512 references
