# SPDX-License-Identifier: MIT
Feature: Owner slots of a large folio

  @sharing.slot-first @since:6.18
  Rule: The first process that maps a large folio outside hugetlb MUST get an owner slot that counts all its mappings, not its pages

    @sharing.slot-first.kinds
    Scenario Outline: <folio> is counted <count> times in one slot
      Given A has <folio>
      Then an owner slot of page 0 of A counts <count> mappings of A
      And 1 owner slot of page 0 of A is free

      Examples:
        | folio                                 | count |
        | an order-2 folio                      | 4     |
        | an order-4 folio                      | 16    |
        | an order-8 folio                      | 256   |
        | an order-9 folio mapped by PTEs       | 512   |
        | an order-9 folio mapped by a PMD      | 1     |
        | an order-4 folio with one page mapped | 1     |
        | an order-4 folio half moved by mremap | 16    |
        | an order-4 folio partly shared before | 16    |

    @sharing.slot-first.two-vmas
    Scenario: Two PMDs of one process for one shmem folio count 2 in one slot
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared as one
      And A maps file f shared as two
      When A reads page 0 of one
      And A reads page 0 of two
      Then an owner slot of page 0 of A's one counts 2 mappings of A
      And 1 owner slot of page 0 of A's one is free

    @sharing.slot-first.hugetlb
    Scenario: A hugetlb folio does not use its slots
      Given A has a hugetlb page
      When A forks B
      Then 2 owner slots of page 0 of A are free

  @sharing.slot-second @since:6.18
  Rule: A process without a slot that maps a folio while one is free MUST take it

    @sharing.slot-second.fork
    Scenario Outline: The child of <folio> gets the second slot with <count> mappings
      Given A has <folio>
      When A forks B
      Then an owner slot of page 0 of A counts <count> mappings of A
      And an owner slot of page 0 of A counts <count> mappings of B

      Examples:
        | folio                            | count |
        | an order-2 folio                 | 4     |
        | an order-4 folio                 | 16    |
        | an order-9 folio mapped by PTEs  | 512   |
        | an order-9 folio mapped by a PMD | 1     |

    @sharing.slot-second.split
    Scenario: A split of the child's PMD raises its count from 1 to 512
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B is mapped by PTEs
      Then an owner slot of page 0 of A counts 1 mapping of A
      And an owner slot of page 0 of A counts 512 mappings of B

    @sharing.slot-second.copied
    Scenario: A page that the child copies is one less in its slot
      Given A has an order-4 folio
      And A forks B
      When B writes "new" to page 0
      Then an owner slot of page 0 of A counts 16 mappings of A
      And an owner slot of page 0 of A counts 15 mappings of B

    @sharing.slot-second.freed-slot
    Scenario: A process forked after a sharer has exited takes the slot that became free
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And B exits
      When A forks D
      Then an owner slot of page 0 of A counts 16 mappings of D
      And no owner slot of page 0 of A counts C

    @sharing.slot-second.untracked-parent
    Scenario: The child of a process without a slot takes a free one, the parent does not
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And A exits
      And B exits
      When C forks D
      Then an owner slot of page 0 of C counts 16 mappings of D
      And no owner slot of page 0 of C counts C
      And 1 owner slot of page 0 of C is free

    @sharing.slot-second.later-mappings
    Scenario: A process without a slot that maps more pages gets one that counts these only
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And C maps file f shared as one
      And C maps file f shared as two
      And A reads page 0
      And B reads page 0
      And C reads page 0 of one
      And A exits
      When C reads page 0 of two
      Then an owner slot of page 0 of C's one counts 1 mapping of C
      And the folio of page 0 of C's one has mapcount 3

  @sharing.third-untracked @since:6.18
  Rule: A process that maps a folio while both slots belong to others MUST NOT be counted in a slot

    @sharing.third-untracked.fork
    Scenario: The second child of an order-4 folio has no slot
      Given A has an order-4 folio
      And A forks B
      When A forks C
      Then no owner slot of page 0 of C counts C
      And an owner slot of page 0 of A counts 16 mappings of A
      And an owner slot of page 0 of A counts 16 mappings of B
      And the folio of page 0 of A has mapcount 48

    @sharing.third-untracked.pmd
    Scenario: The second child of a PMD has no slot either
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When A forks C
      Then no owner slot of page 0 of C counts C
      And the folio of page 0 of A has mapcount 3

    @sharing.third-untracked.stays
    Scenario: A slot that becomes free later is not given to it
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When B exits
      Then no owner slot of page 0 of A counts C
      And 1 owner slot of page 0 of A is free

  @sharing.slot-overflow @since:6.18
  Rule: On 32-bit the mapping that would make a slot count more than 32768 MUST free the slot and mark the folio shared; on 64-bit the slot MUST go on counting

    @sharing.slot-overflow.last
    Scenario: 64 VMAs of 512 entries are 32768 mappings in one slot, and the folio is not shared
      Given file f has an order-9 folio on tmpfs
      When A maps file f shared 64 times by PTEs and reads it
      Then an owner slot of page 0 of A's v1 counts 32768 mappings of A
      And page 0 of A's v1 is not shared

    @sharing.slot-overflow.over @word_bits:32
    Scenario: On 32-bit the next mapping frees the slot, and a folio of one process is called shared
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared 64 times by PTEs and reads it
      And A maps file f shared, 1 page off its alignment, as more
      When A writes "new" to page 0 of more
      Then 2 owner slots of page 0 of A's v1 are free
      And page 0 of A's v1 is maybe shared
      And the folio of page 0 of A's v1 has mapcount 32769

    @sharing.slot-overflow.over-64 @word_bits:64
    Scenario: On 64-bit the slot counts 32769 mappings, and the folio is not shared
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared 64 times by PTEs and reads it
      And A maps file f shared, 1 page off its alignment, as more
      When A writes "new" to page 0 of more
      Then an owner slot of page 0 of A's v1 counts 32769 mappings of A
      And page 0 of A's v1 is not shared

    @sharing.slot-overflow.counts-again @word_bits:32
    Scenario: What the process maps after that gets a slot that counts only this
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared 64 times by PTEs and reads it
      And A maps file f shared, 1 page off its alignment, as more
      And A writes "new" to page 0 of more
      When A writes "new" to page 1 of more
      Then an owner slot of page 0 of A's v1 counts 1 mapping of A
      And page 0 of A's v1 is maybe shared

    @sharing.slot-overflow.sticky @word_bits:32
    Scenario: Back at 32768 mappings the folio is still called shared
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared 64 times by PTEs and reads it
      And A maps file f shared, 1 page off its alignment, as more
      And A writes "new" to page 0 of more
      When A unmaps every page of more
      Then the folio of page 0 of A's v1 has mapcount 32768
      And page 0 of A's v1 is maybe shared

    @sharing.slot-overflow.second @word_bits:32
    Scenario: The slot of another process is not touched
      Given file f has an order-9 folio on tmpfs
      And B maps file f shared
      And B reads page 0
      And A maps file f shared 64 times by PTEs and reads it
      And A maps file f shared, 1 page off its alignment, as more
      When A writes "new" to page 0 of more
      Then an owner slot of page 0 of B counts 1 mapping of B
      And no owner slot of page 0 of B counts A
      And page 0 of B is maybe shared

    @sharing.slot-overflow.advice @word_bits:32
    Scenario: On 32-bit MADV_COLD leaves a folio whole that one process maps 32769 times
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared 64 times by PTEs and reads it
      And A maps file f shared, 1 page off its alignment, as more
      And A writes "new" to page 0 of more
      When A calls MADV_COLD on pages 0 to 1 of v1
      Then the folio of page 0 of A's v1 has order 9

    @sharing.slot-overflow.advice-64 @word_bits:64
    Scenario: On 64-bit MADV_COLD splits a folio that one process maps 32769 times
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared 64 times by PTEs and reads it
      And A maps file f shared, 1 page off its alignment, as more
      And A writes "new" to page 0 of more
      When A calls MADV_COLD on pages 0 to 1 of v1
      And A reads page 5 of v2
      Then the folio of page 5 of A's v2 has order 0

  @sharing.slot-freed @since:6.18
  Rule: A slot MUST be freed when its process has unmapped as many entries as the slot counts

    @sharing.slot-freed.exit
    Scenario: The exit of the child frees the second slot
      Given A has an order-4 folio
      And A forks B
      When B exits
      Then an owner slot of page 0 of A counts 16 mappings of A
      And 1 owner slot of page 0 of A is free

    @sharing.slot-freed.parent
    Scenario: The exit of the parent frees the first slot
      Given A has an order-4 folio
      And A forks B
      When A exits
      Then an owner slot of page 0 of B counts 16 mappings of B
      And 1 owner slot of page 0 of B is free

    @sharing.slot-freed.both
    Scenario: When both owners have exited both slots are free, though a third process maps the folio
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When B exits
      And A exits
      Then 2 owner slots of page 0 of C are free
      And the folio of page 0 of C has mapcount 16

    @sharing.slot-freed.not-before
    Scenario: A slot is kept for one page of 16
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 1 to 15
      Then an owner slot of page 0 of A counts 1 mapping of B
      And page 0 of A is maybe shared

    @sharing.slot-freed.last-page
    Scenario: The last page frees it
      Given A has an order-4 folio
      And A forks B
      And B unmaps pages 1 to 15
      When B unmaps page 0
      Then 1 owner slot of page 0 of A is free
      And page 0 of A is not shared

  @sharing.shared-cleared @since:6.18
  Rule: The shared mark MUST be cleared by the unmap that leaves one slot counting all mappings, or no mapping at all, and not before

    @sharing.shared-cleared.child
    Scenario: The child's exit leaves the parent's slot with all 16 mappings
      Given A has an order-4 folio
      And A forks B
      When B exits
      Then every page of A is not shared

    @sharing.shared-cleared.third-remains
    Scenario: A mapping without a slot keeps the mark
      Given A has an order-4 folio
      And A forks B
      And A forks C
      When B exits
      Then every page of A is maybe shared

    @sharing.shared-cleared.third-leaves
    Scenario: The exit of the process without a slot clears it
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And B exits
      When C exits
      Then every page of A is not shared
      And an owner slot of page 0 of A counts 16 mappings of A

    @sharing.shared-cleared.third-leaves-by-parts
    Scenario: The process without a slot clears it with its last page, not before
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And B exits
      When C unmaps pages 1 to 15
      Then every page of A is maybe shared

    @sharing.shared-cleared.nobody-counted
    Scenario: With both slots free the mark stays until the folio is unmapped
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And B exits
      When A exits
      Then every page of C is maybe shared
      And 2 owner slots of page 0 of C are free

    @sharing.shared-cleared.drained-slot
    Scenario: A process with a late slot drains that slot first and is called shared to the end
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      And B maps file f shared
      And C maps file f shared as one
      And C maps file f shared as two
      And C maps file f shared as three
      And A reads page 0
      And B reads page 0
      And C reads page 0 of one
      And A exits
      And C reads page 0 of two
      And C reads page 0 of three
      And B exits
      When C unmaps every page of one
      Then an owner slot of page 0 of C's two counts 1 mapping of C
      And the folio of page 0 of C's two has mapcount 2
      And page 0 of C's two is maybe shared

    @sharing.shared-cleared.vector
    Scenario: The third process copies, forks, sees its child exit, and is called shared all the while
      Given A has an order-4 folio
      And A forks B
      And A forks C
      And B exits
      And A exits
      And C writes "new" to page 3
      And C forks D
      When D exits
      Then the folio of page 0 of C has mapcount 15
      And 2 owner slots of page 0 of C are free
      And page 0 of C is maybe shared
