# SPDX-License-Identifier: MIT
Feature: PSS: a page's size divided by its mappings

  @statistics.pss @config:page_mapcount
  Rule: Pss MUST be the sum, over the pages that a VMA maps, of the page's size divided by the page's mapcount

    @statistics.pss.alone
    Scenario: Two pages of one process are all its own
      Given A has 2 pages of private anonymous memory
      Then smaps of A shows 8 kB Rss
      And smaps of A shows 8 kB Pss

    @statistics.pss.fork
    Scenario: After fork each of two processes is told half
      Given A has 2 pages of private anonymous memory
      When A forks B
      Then smaps of A shows 8 kB Rss
      And smaps of A shows 4 kB Pss
      And smaps of B shows 8 kB Rss
      And smaps of B shows 4 kB Pss

    @statistics.pss.processes
    Scenario Outline: <pages> pages in <processes> processes are <pss> kB in each
      Given A has <pages> pages of private anonymous memory
      When A forks <children>
      Then every page of A has mapcount <processes>
      And smaps of A shows <pss> kB Pss
      And smaps of <children> adds up to <sum> kB Pss

      Examples:
        | pages | processes | children | pss | sum |
        | 4     | 4         | B1 to B3 | 4   | 12  |
        | 8     | 8         | B1 to B7 | 4   | 28  |
        | 24    | 6         | B1 to B5 | 15  | 75  |

    @statistics.pss.child-exits
    Scenario: The exit of the child doubles the parent's PSS
      Given A has 2 pages of private anonymous memory
      And A forks B
      When B exits
      Then smaps of A shows 8 kB Pss

    @statistics.pss.copy
    Scenario: A copy is all its writer's, and gives the other side back what it gave up
      Given A has 4 pages of private anonymous memory
      And A forks B
      When B writes "new" to page 0
      Then smaps of B shows 10 kB Pss
      And smaps of A shows 10 kB Pss

    @statistics.pss.twice
    Scenario: Two mappings by one process halve the PSS of each
      Given file f has 4 pages on memfd
      And A maps file f shared as once
      And A maps file f shared as again
      And A reads every page of once
      When A reads every page of again
      Then smaps of A's once shows 16 kB Rss
      And smaps of A's once shows 8 kB Pss
      And smaps of A's again shows 8 kB Pss

    @statistics.pss.twice-and-fork
    Scenario: Two mappings in each of two processes quarter it
      Given file f has 4 pages on memfd
      And A maps file f shared as once
      And A maps file f shared as again
      And A reads every page of once
      And A reads every page of again
      And A forks B
      And B reads every page of once
      When B reads every page of again
      Then every page of A's once has mapcount 4
      And smaps of A's once shows 4 kB Pss
      And smaps of B's again shows 4 kB Pss

    @statistics.pss.ring-buffer
    Scenario: A BPF ring buffer of 5 pages has 3 pages of memory
      Given A maps a BPF ring buffer
      When A reads every page
      Then smaps of A shows 20 kB Rss
      And smaps of A shows 12 kB Pss
      And smaps of A shows 4 kB Private_Clean
      And smaps of A shows 16 kB Shared_Clean

    @statistics.pss.ring-buffer-fork
    Scenario: In two processes 6 kB each
      Given A maps a BPF ring buffer
      And A reads every page
      When A forks B
      Then smaps of A shows 20 kB Rss
      And smaps of A shows 6 kB Pss
      And smaps of A shows 20 kB Shared_Clean

    @statistics.pss.thp @order:9
    Scenario: A huge page is divided like small ones
      Given A has an order-9 folio mapped by a PMD
      When A forks B
      Then smaps of A shows 2048 kB Rss
      And smaps of A shows 1024 kB Pss
      And smaps of A shows 2048 kB AnonHugePages
      And smaps of B shows 1024 kB Pss

    @statistics.pss.thp-half @order:9
    Scenario: A process that keeps half of a shared huge page has a quarter of it
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B unmaps pages 256 to 511
      Then smaps of B shows 1024 kB Rss
      And smaps of B shows 512 kB Pss
      And smaps of A shows 2048 kB Rss
      And smaps of A shows 1536 kB Pss
      And smaps of A shows 1024 kB Private_Dirty
      And smaps of A shows 1024 kB Shared_Dirty

    @statistics.pss.thp-one @order:9
    Scenario: A process that keeps one page of a shared huge page has half of that page
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B unmaps pages 1 to 511
      Then smaps of A shows 2046 kB Pss
      And smaps of A shows 2044 kB Private_Dirty
      And smaps of A shows 4 kB Shared_Dirty
      And smaps of B shows 2 kB Pss

    @statistics.pss.mthp
    Scenario Outline: The copy of one page of an order-<order> folio is divided by nobody
      Given A has an order-<order> folio
      And A forks B
      When B writes "new" to page 0
      Then smaps of A shows <pss> kB Pss
      And smaps of B shows <pss> kB Pss
      And smaps of A shows 4 kB Private_Dirty
      And smaps of B shows 4 kB Private_Dirty

      Examples:
        | order | pss |
        | 2     | 10  |
        | 3     | 18  |
        | 4     | 34  |
        | 5     | 66  |
        | 6     | 130 |
        | 7     | 258 |
        | 8     | 514 |

  @statistics.pss-small
  Rule: A page of a small folio MUST be divided by its own mapcount on every kernel

    @statistics.pss-small.fork
    Scenario Outline: <pages> small pages in <processes> processes are <pss> kB in each
      Given A has <pages> pages of private anonymous memory
      When A forks <children>
      Then smaps of A shows <pss> kB Pss

      Examples:
        | pages | processes | children | pss |
        | 2     | 3         | B1 to B2 | 2   |
        | 4     | 4         | B1 to B3 | 4   |
        | 8     | 8         | B1 to B7 | 4   |

    @statistics.pss-small.file
    Scenario: So is a page of a file
      Given file f has 4 pages on memfd
      And A maps file f shared
      And B maps file f shared
      And A reads every page
      And B reads every page
      When B unmaps pages 2 to 3
      Then smaps of A shows 12 kB Pss
      And smaps of B shows 4 kB Pss

  @statistics.pss-rounding
  Rule: The share of each page MUST be rounded down to a 4096th of a byte, and the sum over a VMA down to whole kB

    @statistics.pss-rounding.third
    Scenario Outline: A third of <pages> pages prints <pss> kB
      Given A has <pages> pages of private anonymous memory
      And A forks B
      When A forks C
      Then smaps of A shows <pss> kB Pss
      And smaps of C shows <pss> kB Pss

      Examples: 4 kB each, a third of which is 1365.33 bytes
        | pages | pss |
        | 1     | 1   |
        | 2     | 2   |
        | 4     | 5   |

      Examples: Where the exact sum is whole, one kB is missing
        | pages | pss |
        | 3     | 3   |
        | 6     | 7   |
        | 12    | 15  |
        | 24    | 31  |

    @statistics.pss-rounding.seventh
    Scenario: A seventh of 4 pages, 2.3 kB, prints 2
      Given A has 4 pages of private anonymous memory
      When A forks B1 to B6
      Then smaps of A shows 2 kB Pss

    @statistics.pss-rounding.one-page
    Scenario: A page of eight processes prints 0 kB of PSS in each
      Given A maps 1 page of private anonymous memory
      And A writes "old" to page 0
      When A forks B1 to B7
      Then smaps of A shows 4 kB Rss
      And smaps of A shows 0 kB Pss
      And smaps of B1 to B7 adds up to 0 kB Pss

    @statistics.pss-rounding.vmas
    Scenario: Four VMAs with a third of a page each print 4 kB, one VMA with all four prints 5
      Given A has 1 page of private anonymous memory as a
      And A has 1 page of private anonymous memory as b
      And A has 1 page of private anonymous memory as c
      And A has 1 page of private anonymous memory as d
      And A has 4 pages of private anonymous memory as together
      And A forks B
      When A forks C
      Then smaps of A's a shows 1 kB Pss
      And smaps of A's b shows 1 kB Pss
      And smaps of A's c shows 1 kB Pss
      And smaps of A's d shows 1 kB Pss
      And smaps of A's together shows 5 kB Pss

  @statistics.pss-average @config:no_page_mapcount
  Rule: Without per-page counts each page of a large folio MUST be divided by the average mapcount of the folio

    @statistics.pss-average.whole @order:9
    Scenario: Where all processes map all of a folio the average is exact
      Given A has an order-9 folio mapped by a PMD
      When A forks B
      Then smaps of A shows 1024 kB Pss
      And smaps of B shows 1024 kB Pss

    @statistics.pss-average.one-page @order:9
    Scenario: One page that B keeps is not seen: A is told 2048 kB, B 4 kB, and the folio has 2048
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B unmaps pages 1 to 511
      Then the folio of page 0 of A has mapcount 2
      And page 0 of A has average mapcount 1
      And smaps of A shows 2048 kB Pss
      And smaps of B shows 4 kB Pss

    @statistics.pss-average.half
    Scenario Outline: B keeps <kept> of 16 pages, the average is <average>, A is told <pss> kB
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages <gone>
      Then page 0 of A has average mapcount <average>
      And smaps of A shows <pss> kB Pss

      Examples: Half a mapping per page and more is rounded up
        | kept | gone    | average | pss |
        | 7    | 7 to 15 | 1       | 64  |
        | 8    | 8 to 15 | 2       | 32  |

    @statistics.pss-average.own-page
    Scenario: A page that nobody else maps is divided too
      Given A has an order-4 folio
      And A forks B
      When B unmaps pages 12 to 15
      Then smaps of A shows 32 kB Pss
      And smaps of B shows 24 kB Pss

    @statistics.pss-average.twice
    Scenario: Two mappings by one process count twice here as well
      Given file f has an order-4 folio on tmpfs
      And A maps file f shared as once
      And A maps file f shared as again
      And A reads every page of once
      When A reads every page of again
      Then smaps of A's once shows 32 kB Pss

  @statistics.one-reference
  Rule: A folio with a single reference MUST count whole and private

    @statistics.one-reference.part
    Scenario: The last page that is mapped of a folio is one page of PSS and one of Private
      Given A has an order-4 folio with one page mapped
      Then the folio of page 0 of A has 1 reference
      And smaps of A shows 4 kB Rss
      And smaps of A shows 4 kB Pss
      And smaps of A shows 4 kB Private_Dirty

    @statistics.one-reference.pmd @order:9 @word_bits:64
    Scenario: A PMD is one reference, and 2048 kB of Private
      Given A has an order-9 folio mapped by a PMD
      Then the folio of page 0 of A has 1 reference
      And smaps of A shows 2048 kB Pss
      And smaps of A shows 2048 kB Private_Dirty

  @statistics.pmd-overflow @order:9 @word_bits:32
  Rule: On 32-bit a PMD of a folio with a single reference MUST add nothing to Pss, and MUST be whole in Rss and Private

    @statistics.pmd-overflow.alone
    Scenario: A huge page that one process has for itself is 2048 kB of Private and 0 kB of Pss
      Given A has an order-9 folio mapped by a PMD
      Then the folio of page 0 of A has 1 reference
      And smaps of A shows 2048 kB Rss
      And smaps of A shows 2048 kB Private_Dirty
      And smaps of A shows 0 kB Pss
      And smaps of A shows 0 kB Pss_Dirty

    @statistics.pmd-overflow.fork
    Scenario: After fork there are two references, and each process has its half
      Given A has an order-9 folio mapped by a PMD
      When A forks B
      Then smaps of A shows 1024 kB Pss
      And smaps of B shows 1024 kB Pss

    @statistics.pmd-overflow.exit
    Scenario: When the child exits the parent's half is lost as well
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      When B exits
      Then smaps of A shows 0 kB Pss
      And smaps of A shows 2048 kB Private_Dirty

    @statistics.pmd-overflow.ptes
    Scenario: PTEs count page by page, so without one of its pages the folio is back
      Given A has an order-9 folio mapped by a PMD
      When A unmaps page 511
      Then smaps of A shows 2044 kB Pss

    @statistics.pmd-overflow.shmem
    Scenario: The page cache holds references of its own, so a huge page of shmem is not lost
      Given file f has an order-9 folio on tmpfs
      And A maps file f shared
      When A reads page 0
      Then A has a PMD for every page
      And smaps of A shows 2048 kB Pss
