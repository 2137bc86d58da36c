# SPDX-License-Identifier: MIT
Feature: What pins and references stop

  @pins.swap-out
  Rule: Reclaim MUST NOT swap out a folio that is taken for pinned, and MAY swap out a small one that is held by FOLL_GET only

    @pins.swap-out.pinned
    Scenario Outline: MADV_PAGEOUT leaves <page> where it is while a page of it is pinned
      Given A has <page>
      And A pins page 0 for reading as hold h
      When A calls MADV_PAGEOUT on every page
      Then every page of A is where it was
      And page 0 of A is marked exclusive

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @pins.swap-out.given-back
    Scenario: When the pin is given back the page can be swapped out
      Given A has 1 page of private anonymous memory
      And A pins page 0 for reading as hold h
      And hold h is given back
      When A calls MADV_PAGEOUT on page 0
      Then A has a swap entry for page 0

    @pins.swap-out.looks-pinned
    Scenario: 1023 references of FOLL_GET have the same effect
      Given A has 1 page of private anonymous memory
      And A gets page 0 for reading 1023 times as hold h
      When A calls MADV_PAGEOUT on page 0
      Then page 0 of A is where it was

    @pins.swap-out.got @needs:swap
    Scenario: A page that is held by FOLL_GET gets a swap entry, and comes back as the page that the holder has
      Given A has 1 page of private anonymous memory
      And A gets page 0 for reading as hold h
      And A calls MADV_PAGEOUT on page 0
      And A writes "new" to page 0
      When A reads page 0
      Then the driver reads "new" through hold h

    @pins.swap-out.got-entry
    Scenario: Until then its process has a swap entry
      Given A has 1 page of private anonymous memory
      And A gets page 0 for reading as hold h
      When A calls MADV_PAGEOUT on page 0
      Then A has a swap entry for page 0
      And the driver reads "old" through hold h

  @pins.swap-out-large @needs:swap
  Rule: Reclaim MUST NOT swap out a large folio to which anybody holds a reference, by FOLL_GET or FOLL_PIN

    @pins.swap-out-large.got
    Scenario Outline: MADV_PAGEOUT leaves <page> where it is while one page of it is held
      Given A has <page>
      And A gets page 0 for reading as hold h
      When A calls MADV_PAGEOUT on every page
      Then every page of A is where it was

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @pins.swap-out-large.vmsplice
    Scenario: A pipe has the same effect
      Given A has an order-4 folio
      And A vmsplices page 3 into pipe p
      When A calls MADV_PAGEOUT on every page
      Then every page of A is where it was

    @pins.swap-out-large.given-back
    Scenario: When the page is given back the folio can be swapped out
      Given A has an order-4 folio
      And A gets page 0 for reading as hold h
      And hold h is given back
      When A calls MADV_PAGEOUT on every page
      Then A has a swap entry for every page

  @pins.migration @needs:migrate
  Rule: Migration MUST leave a page where it is while anybody holds a reference to its folio, by FOLL_GET or FOLL_PIN

    @pins.migration.held
    Scenario Outline: A base page that the driver <takes> for reading is kept
      Given A has 1 page of private anonymous memory
      And A <takes> page 0 for reading as hold h
      When A tries to move page 0 to the other node
      Then move_pages says kept of each page
      And page 0 of A is where it was

      Examples:
        | takes |
        | gets  |
        | pins  |

    @pins.migration.folio
    Scenario Outline: One page that is held keeps all of <page>
      Given A has <page>
      And A gets page 3 for reading as hold h
      When A tries to move page 0 to the other node
      Then move_pages says kept of each page
      And every page of A is where it was

      Examples:
        | page                             |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @pins.migration.pipe
    Scenario: A page that is in a pipe is kept
      Given A has 1 page of private anonymous memory
      And A vmsplices page 0 into pipe p
      When A tries to move page 0 to the other node
      Then move_pages says kept of each page

    @pins.migration.io-uring
    Scenario: A page of an io_uring buffer is kept
      Given A has 1 page of private anonymous memory
      And A registers page 0 as io_uring buffer b
      When A tries to move page 0 to the other node
      Then move_pages says kept of each page

    @pins.migration.file
    Scenario: So is a page of the page cache
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      And A pins page 0 for reading as hold h
      When A tries to move page 0 to the other node
      Then move_pages says kept of each page

    @pins.migration.free
    Scenario Outline: <page> that nobody holds is moved, with its content, its mapcount and its markers
      Given A has <page>
      When A tries to move every page to the other node
      Then move_pages says moved of each page
      And every page of A is other memory than before
      And A reads "old" in every page
      And every page of A is marked exclusive
      And the folio of page 0 of A has mapcount <mapcount>

      Examples:
        | page                             | mapcount |
        | a base page                      | 1        |
        | an order-4 folio                 | 16       |
        | an order-9 folio mapped by a PMD | 1        |
        | an order-9 folio mapped by PTEs  | 512      |

    @pins.migration.given-back
    Scenario: When the pin is given back the page can be moved
      Given A has 1 page of private anonymous memory
      And A pins page 0 for writing, long-term, as hold h
      And hold h is given back
      When A tries to move page 0 to the other node
      Then move_pages says moved of each page

  @pins.ksm @needs:ksm
  Rule: KSM MUST NOT merge a page while anybody holds a reference to it, by FOLL_GET or FOLL_PIN

    @pins.ksm.held
    Scenario Outline: A page that the driver <takes> stays its process's own
      Given A maps 2 pages of private anonymous memory
      And A writes "same" to pages 0 to 1
      And A calls MADV_MERGEABLE on every page
      And A <takes> page 0 for reading as hold h
      When KSM merges what it can
      Then page 0 of A is where it was
      And page 0 of A is no KSM page
      And page 0 of A is marked exclusive

      Examples:
        | takes |
        | gets  |
        | pins  |

    @pins.ksm.given-back
    Scenario: When the pin is given back the pages are merged
      Given A maps 2 pages of private anonymous memory
      And A writes "same" to pages 0 to 1
      And A calls MADV_MERGEABLE on every page
      And A pins page 0 for reading as hold h
      And hold h is given back
      When KSM merges what it can
      Then page 0 of A is the same memory as page 1 of A
      And page 0 of A is a KSM page

  @pins.soft-dirty
  Rule: Clearing soft-dirty bits MUST leave a writable PTE of a page that is taken for pinned writable and soft-dirty, in a private mapping of a process that has pinned

    @pins.soft-dirty.pinned
    Scenario: The bit of a page that is pinned for writing stays, that of its neighbour goes
      Given A has 2 pages of private anonymous memory
      And A pins page 0 for writing as hold h
      When A clears its soft-dirty bits
      Then pagemap marks page 0 of A as soft-dirty
      And pagemap does not mark page 1 of A as soft-dirty

    @pins.soft-dirty.writable @needs:entry-writable
    Scenario: Its entry stays writable, that of its neighbour becomes read-only
      Given A has 2 pages of private anonymous memory
      And A pins page 0 for writing as hold h
      When A clears its soft-dirty bits
      Then page 0 of A is mapped writable

    @pins.soft-dirty.folio
    Scenario: All pages of a large folio keep it when one is pinned
      Given A has an order-4 folio
      And A pins page 3 for writing as hold h
      When A clears its soft-dirty bits
      Then pagemap marks every page of A as soft-dirty

    @pins.soft-dirty.got
    Scenario: FOLL_GET does not keep it
      Given A has 1 page of private anonymous memory
      And A gets page 0 for writing as hold h
      When A clears its soft-dirty bits
      Then pagemap does not mark page 0 of A as soft-dirty

    @pins.soft-dirty.given-back
    Scenario: Nor does a pin that was given back
      Given A has 1 page of private anonymous memory
      And A pins page 0 for writing as hold h
      And hold h is given back
      When A clears its soft-dirty bits
      Then pagemap does not mark page 0 of A as soft-dirty

    @pins.soft-dirty.pmd
    Scenario: Of a PMD nobody asks: it loses the bit although a page of it is pinned
      Given A has an order-9 folio mapped by a PMD
      And A pins page 0 for writing as hold h
      When A clears its soft-dirty bits
      Then pagemap does not mark page 0 of A as soft-dirty

    @pins.soft-dirty.shared
    Scenario: Nor of a shared mapping
      Given file f has 1 page on memfd
      And A maps file f shared
      And A writes "new" to page 0
      And A pins page 0 for writing as hold h
      When A clears its soft-dirty bits
      Then pagemap does not mark page 0 of A as soft-dirty
