# SPDX-License-Identifier: MIT
Feature: What pins do not stop

  @pins.outlives
  Rule: FOLL_GET and FOLL_PIN MUST keep a page for their holder when its mapping goes, and MUST NOT keep the mapping from going

    @pins.outlives.unmapped
    Scenario Outline: A page that the driver <takes> can be unmapped, and the driver keeps it
      Given A has 1 page of private anonymous memory
      And A <takes> page 0 for reading, fast, as hold h
      When A unmaps page 0
      Then the driver reads "old" through hold h
      And A has nothing for page 0

      Examples:
        | takes |
        | gets  |
        | pins  |

    @pins.outlives.dropped
    Scenario Outline: After MADV_DONTNEED the process gets another page, and the driver has the old one of <page>
      Given A has <page>
      And A pins page 0 for writing as hold h
      When A drops page 0 and writes "new" again
      Then page 0 of A was copied
      And the driver reads "old" through hold h
      And A reads "new" in page 0

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @pins.outlives.exit
    Scenario Outline: The driver keeps the page of a process that has exited: <takes>
      Given A has 1 page of private anonymous memory
      And A <takes> page 0 for writing as hold h
      When A exits
      Then the driver reads "old" through hold h

      Examples:
        | takes |
        | gets  |
        | pins  |

    @pins.outlives.longterm
    Scenario: So does one that has pinned for long
      Given A has 1 page of private anonymous memory
      And A pins page 0 for writing, long-term, as hold h
      When A exits
      Then the driver reads "old" through hold h

    @pins.outlives.references
    Scenario: What is left of the page's references is the pin
      Given A has an order-4 folio
      And A pins page 3 for reading as hold h
      When A unmaps pages 1 to 15
      Then the folio of page 0 of A has 2 references
      And the folio of page 0 of A has 1 pin
      And the folio of page 0 of A has mapcount 1

    @pins.outlives.file
    Scenario: A page of the page cache is the file's, and the driver reads what is written to the file
      Given file f has 1 page on memfd
      And A maps file f shared
      And A writes "new" to page 0
      And A pins page 0 for writing, long-term, as hold h
      And A unmaps page 0
      When file f holds "file" in page 0
      Then the driver reads "file" through hold h

  @pins.mapping-changes
  Rule: mprotect, mremap and a PMD split MUST act on a mapping whose page is pinned as on any other, and the page MUST stay the process's own

    @pins.mapping-changes.protect
    Scenario: A page that was made read-only and writable again is still the pinned one
      Given A has 1 page of private anonymous memory
      And A pins page 0 for writing as hold h
      And A makes page 0 read-only
      And A makes page 0 read-write
      When A writes "new" to page 0
      Then page 0 of A was reused
      And the driver reads "new" through hold h

    @pins.mapping-changes.move
    Scenario: A page that was moved by mremap is still the pinned one
      Given A has 1 page of private anonymous memory
      And A pins page 0 for reading as hold h
      And A moves page 0 to elsewhere
      When A writes "new" to page 0 of elsewhere
      Then the driver reads "new" through hold h

    @pins.mapping-changes.pmd-split
    Scenario: The PMD of a pinned huge page is split, and every write is seen through the pin
      Given A has an order-9 folio mapped by a PMD
      And A pins every page for reading as hold h
      And A is mapped by PTEs
      When A writes "new" to every page
      Then the driver reads "new" through hold h
      And the folio of page 0 of A has 512 pins
