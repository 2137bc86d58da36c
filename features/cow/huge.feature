# SPDX-License-Identifier: MIT
Feature: Reuse or copy of a huge page that a PMD maps

  @cow.pmd-reuse @pmd_order:9
  Rule: A write to an anonymous folio mapped by a PMD MUST reuse all of it, unsplit, if that PMD holds the folio's only reference

    @cow.pmd-reuse.child-exits
    Scenario: The parent writes its huge page in place after the child has exited
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B exits
      When A writes "new" to page 5
      Then every page of A was reused
      And A has a PMD for every page
      And counter thp_split_pmd has risen by 0

    @cow.pmd-reuse.parent-exits
    Scenario: The child writes the huge page in place after the parent has exited
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A exits
      When B writes "new" to page 5
      Then every page of B was reused
      And B has a PMD for every page

    @cow.pmd-reuse.third
    Scenario: A third process reuses it too, for a PMD is decided by references and not by owner slots
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C writes "new" to page 5
      Then every page of C was reused
      And C has a PMD for every page

    @cow.pmd-reuse.child-copied
    Scenario: A child that had split and copied leaves the parent's PMD whole when it exits
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B writes "b" to pages 0 to 3
      And B exits
      When A writes "a" to page 0
      Then every page of A was reused
      And A has a PMD for every page

    @cow.pmd-reuse.marked
    Scenario: A PMD that is marked exclusive is not split because of a reference
      Given A has an order-9 folio mapped by a PMD
      And A vmsplices page 9 into pipe p
      And A makes every page read-only
      And A makes every page read-write
      When A writes "new" to every page
      Then every page of A was reused
      And A has a PMD for every page
      And pipe p holds "new"

    @cow.pmd-reuse.marked-read-only
    Scenario: A PMD that a read pin has marked and left read-only is not split because of a reference
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B exits
      And A reads page 0 with process_vm_readv
      And A vmsplices page 9 into pipe p
      When A writes "new" to page 0
      Then every page of A was reused
      And A has a PMD for every page
      And counter thp_split_pmd has risen by 0

  @cow.pmd-copy @pmd_order:9
  Rule: A write to an unmarked anonymous folio that a PMD maps and that has other references MUST split the PMD and copy one base page

    @cow.pmd-copy.one-page
    Scenario: The writer gets one page of its own and shares the other 511
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 7
      Then page 7 of A was copied
      And pages 0 to 6 of A are the same memory as pages 0 to 6 of B
      And pages 8 to 511 of A are the same memory as pages 8 to 511 of B
      And the folio of page 7 of A has order 0
      And the folio of page 8 of A has order 9

    @cow.pmd-copy.split
    Scenario: The PMD of the writer is split, and nobody else's
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 7
      Then A has a PTE for every page
      And B has a PMD for every page
      And counter thp_split_pmd has risen by 1
      And counter split has risen by 0

    @cow.pmd-copy.mapcounts @config:page_mapcount
    Scenario: The page that was copied has lost one mapping, the others none
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 7
      Then page 7 of A has mapcount 1
      And page 7 of B has mapcount 1
      And pages 0 to 6 of B have mapcount 2
      And pages 8 to 511 of B have mapcount 2

    @cow.pmd-copy.other-side
    Scenario: The other side splits and copies too, although nobody else maps that page any more
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A writes "a" to page 7
      When B writes "b" to page 7
      Then page 7 of B was copied
      And B has a PTE for every page
      And pages 0 to 6 of A are the same memory as pages 0 to 6 of B

    @cow.pmd-copy.reference
    Scenario: A FOLL_GET reference makes the last user split and copy
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A vmsplices page 9 into pipe p
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was copied
      And A has a PTE for every page
      And the folio of page 0 of A has order 0

    @cow.pmd-copy.reference-dropped
    Scenario: When the reference has been dropped the PMD is reused
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A vmsplices page 9 into pipe p
      And B exits
      And pipe p is closed
      When A writes "new" to page 0
      Then every page of A was reused
      And A has a PMD for every page

    @cow.pmd-copy.counts
    Scenario: The folio is then mapped by one PMD and 511 PTEs, and has as many references
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A writes "new" to page 7
      Then the folio of page 0 of B has mapcount 512
      And the folio of page 0 of B has entire mapcount 1
      And the folio of page 0 of B has 512 references
