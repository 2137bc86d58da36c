# SPDX-License-Identifier: MIT
Feature: What get_user_pages counts, and what is taken for a pin

  @pins.get
  Rule: FOLL_GET MUST add one reference to the folio for each page that is handed out, and no pin

    @pins.get.one-page
    Scenario Outline: One page of <page> adds one reference
      Given A has <page>
      When A gets page 0 for reading as hold h
      Then the folio of page 0 of A has <references> references
      And the folio of page 0 of A has 0 pins
      And page 0 of A is not taken for pinned

      Examples:
        | page                             | references |
        | a base page                      | 2          |
        | an order-4 folio                 | 17         |
        | an order-9 folio mapped by a PMD | 2          |
        | an order-9 folio mapped by PTEs  | 513        |
        | a hugetlb page                   | 2          |

    @pins.get.all-pages
    Scenario Outline: All of <page> adds one reference for each page, however it is mapped
      Given A has <page>
      When A gets every page for reading as hold h
      Then the folio of page 0 of A has <references> references
      And the folio of page 0 of A has 0 pins
      And page 0 of A is not taken for pinned

      Examples:
        | page                             | references |
        | an order-4 folio                 | 32         |
        | an order-9 folio mapped by a PMD | 513        |
        | an order-9 folio mapped by PTEs  | 1024       |
        | a hugetlb page                   | 513        |

    @pins.get.manners
    Scenario Outline: It is one reference <manner>
      Given A has 1 page of private anonymous memory
      When A gets page 0 <manner> as hold h
      Then the folio of page 0 of A has 2 references

      Examples:
        | manner                        |
        | for reading                   |
        | for reading, fast,            |
        | for writing                   |
        | for writing, fast,            |
        | for writing, with FOLL_FORCE, |

    @pins.get.file
    Scenario: A page of the page cache is counted like any other
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      When A gets page 0 for reading as hold h
      Then the folio of page 0 of A has 3 references

  @pins.pin-small
  Rule: FOLL_PIN of a page of a small folio, and on 32 bit of a folio of two pages, MUST add 1024 references for each pin

    @pins.pin-small.manners
    Scenario Outline: A pin <manner> is 1024 references
      Given A has 1 page of private anonymous memory
      When A pins page 0 <manner> as hold h
      Then the folio of page 0 of A has 1025 references
      And the folio of page 0 of A has 0 pins
      And page 0 of A is taken for pinned

      Examples:
        | manner                         |
        | for reading                    |
        | for reading, fast,             |
        | for reading, long-term,        |
        | for reading, long-term, fast,  |
        | for writing                    |
        | for writing, fast,             |
        | for writing, long-term,        |
        | for writing, long-term, fast,  |

    @pins.pin-small.twice
    Scenario: Two pins are 2048 references
      Given A has 1 page of private anonymous memory
      And A pins page 0 for reading as hold first
      When A pins page 0 for reading as hold second
      Then the folio of page 0 of A has 2049 references

    @pins.pin-small.file
    Scenario: A page of the page cache is pinned in the same way
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      When A pins page 0 for reading as hold h
      Then the folio of page 0 of A has 1026 references
      And page 0 of A is taken for pinned

    @pins.pin-small.two-pages @word_bits:32
    Scenario: On 32 bit a folio of two pages has no pin count, and counts like a small one
      Given file f has an order-1 folio on tmpfs
      And A maps file f shared
      And A reads every page
      When A pins page 0 for reading as hold h
      Then the folio of page 0 of A has 1028 references
      And the folio of page 0 of A has 0 pins

    @pins.pin-small.two-pages-64 @word_bits:64
    Scenario: On 64 bit it has one
      Given file f has an order-1 folio on tmpfs
      And A maps file f shared
      And A reads every page
      When A pins page 0 for reading as hold h
      Then the folio of page 0 of A has 5 references
      And the folio of page 0 of A has 1 pin

    @pins.pin-small.io-uring
    Scenario: An io_uring buffer is one such pin
      Given A has 1 page of private anonymous memory
      When A registers page 0 as io_uring buffer b
      Then the folio of page 0 of A has 1025 references

  @pins.pin-large
  Rule: FOLL_PIN of pages of a large folio MUST add one reference and one pin to the folio for each page that is handed out

    @pins.pin-large.one-page
    Scenario Outline: One page of <page> is one reference and one pin
      Given A has <page>
      When A pins page 3 for reading as hold h
      Then the folio of page 0 of A has <references> references
      And the folio of page 0 of A has 1 pin

      Examples:
        | page                             | references |
        | an order-2 folio                 | 5          |
        | an order-4 folio                 | 17         |
        | an order-9 folio mapped by a PMD | 2          |
        | an order-9 folio mapped by PTEs  | 513        |
        | a hugetlb page                   | 2          |

    @pins.pin-large.all-pages
    Scenario Outline: All of <page> is <pins> pins, however it is mapped
      Given A has <page>
      When A pins every page for reading as hold h
      Then the folio of page 0 of A has <references> references
      And the folio of page 0 of A has <pins> pins

      Examples:
        | page                             | references | pins |
        | an order-2 folio                 | 8          | 4    |
        | an order-4 folio                 | 32         | 16   |
        | an order-9 folio mapped by a PMD | 513        | 512  |
        | an order-9 folio mapped by PTEs  | 1024       | 512  |
        | a hugetlb page                   | 513        | 512  |

    @pins.pin-large.manners @order:4
    Scenario Outline: A pin of one page <manner> is one reference and one pin
      Given A has an order-4 folio
      When A pins page 3 <manner> as hold h
      Then the folio of page 0 of A has 17 references
      And the folio of page 0 of A has 1 pin

      Examples:
        | manner                        |
        | for reading                   |
        | for reading, fast,            |
        | for reading, long-term,       |
        | for writing                   |
        | for writing, long-term, fast, |

    @pins.pin-large.file
    Scenario: A large folio of the page cache is pinned in the same way
      Given file f has an order-9 folio on memfd
      And A maps file f shared
      And A reads page 0
      When A pins pages 0 to 3 for reading as hold h
      Then the folio of page 0 of A has 517 references
      And the folio of page 0 of A has 4 pins

  @pins.unpin
  Rule: Giving pages back MUST take away the references and pins that were added for them, and no others

    @pins.unpin.put
    Scenario Outline: <page> that was held by FOLL_GET counts as before
      Given A has <page>
      And A gets every page for writing as hold h
      When hold h is given back
      Then the folio of page 0 of A has <references> references
      And the folio of page 0 of A has 0 pins
      And page 0 of A is not taken for pinned

      Examples:
        | page                             | references |
        | a base page                      | 1          |
        | an order-4 folio                 | 16         |
        | an order-9 folio mapped by a PMD | 1          |
        | an order-9 folio mapped by PTEs  | 512        |
        | a hugetlb page                   | 1          |

    @pins.unpin.unpinned
    Scenario Outline: <page> that was held by FOLL_PIN counts as before
      Given A has <page>
      And A pins every page for writing as hold h
      When hold h is given back
      Then the folio of page 0 of A has <references> references
      And the folio of page 0 of A has 0 pins
      And page 0 of A is not taken for pinned

      Examples:
        | page                             | references |
        | a base page                      | 1          |
        | an order-4 folio                 | 16         |
        | an order-9 folio mapped by a PMD | 1          |
        | an order-9 folio mapped by PTEs  | 512        |
        | a hugetlb page                   | 1          |

    @pins.unpin.one-of-two
    Scenario Outline: <page>: the second of two pins stays
      Given A has <page>
      And A pins page 0 for reading as hold first
      And A pins page 0 for reading as hold second
      When hold first is given back
      Then the folio of page 0 of A has <references> references
      And page 0 of A is taken for pinned

      Examples:
        | page                             | references |
        | a base page                      | 1025       |
        | an order-4 folio                 | 17         |
        | an order-9 folio mapped by a PMD | 2          |

    @pins.unpin.after-split
    Scenario: A pin that was taken through a PMD is given back after the PMD was split
      Given A has an order-9 folio mapped by a PMD
      And A pins every page for reading as hold h
      And A is mapped by PTEs
      When hold h is given back
      Then the folio of page 0 of A has 512 references
      And the folio of page 0 of A has 0 pins

  @pins.not-a-mapping
  Rule: FOLL_GET and FOLL_PIN of a page that is there MUST NOT change a mapcount, the RSS or what tells a page exclusive

    @pins.not-a-mapping.mapcount
    Scenario Outline: <page> has the mapcount that it had
      Given A has <page>
      When A pins every page for writing as hold h
      Then the folio of page 0 of A has mapcount <mapcount>
      And page 3 of A has mapcount 1
      And page 3 of A is mapped exclusively
      And page 3 of A is where it was

      Examples:
        | page                             | mapcount |
        | an order-4 folio                 | 16       |
        | an order-9 folio mapped by a PMD | 1        |
        | an order-9 folio mapped by PTEs  | 512      |

    @pins.not-a-mapping.small
    Scenario Outline: So has a base page that the driver <takes>
      Given A has 1 page of private anonymous memory
      When A <takes> page 0 for writing as hold h
      Then page 0 of A has mapcount 1
      And page 0 of A is mapped exclusively
      And page 0 of A is marked exclusive
      And A counts 1 page in RssAnon, 0 in RssFile and 0 in RssShmem

      Examples:
        | takes |
        | gets  |
        | pins  |

  @pins.zero-page
  Rule: FOLL_PIN of the zero page MUST count nothing, and FOLL_GET of it MUST add a reference

    @pins.zero-page.pin
    Scenario: Four pins of the zero page leave its references as they were
      Given A maps 4 pages of private anonymous memory
      And A reads every page
      And A notes the references of page 0
      When A pins every page for reading as hold h
      Then the folio of page 0 of A has 0 references more than noted
      And page 0 of A is not taken for pinned
      And A has the zero page for every page

    @pins.zero-page.get
    Scenario: FOLL_GET of four zero pages takes four references
      Given A maps 4 pages of private anonymous memory
      And A reads every page
      And A notes the references of page 0
      When A gets every page for reading as hold h
      Then the folio of page 0 of A has 4 references more than noted

    @pins.zero-page.given-back
    Scenario Outline: Giving back leaves it as it was, too: <takes>
      Given A maps 4 pages of private anonymous memory
      And A reads every page
      And A notes the references of page 0
      And A <takes> every page for reading as hold h
      When hold h is given back
      Then the folio of page 0 of A has 0 references more than noted

      Examples:
        | takes |
        | gets  |
        | pins  |

  @pins.huge-zero
  Rule: FOLL_PIN of the huge zero page MUST count like that of any large folio

    @pins.huge-zero.pin @needs:huge-zero-page
    Scenario: Four pages of the huge zero page are four references and four pins
      Given A maps huge anonymous memory privately and reads it
      And A notes the references of page 0
      When A pins pages 0 to 3 for reading as hold h
      Then the folio of page 0 of A has 4 references more than noted
      And the folio of page 0 of A has 4 pins
      And A has the huge zero page for page 0

  @pins.maybe-small
  Rule: A small folio MUST be taken for pinned exactly when it has 1024 references or more, whoever has them

    @pins.maybe-small.enough
    Scenario: One mapping and 1023 references of FOLL_GET look like a pin
      Given A has 1 page of private anonymous memory
      When A gets page 0 for reading 1023 times as hold h
      Then the folio of page 0 of A has 1024 references
      And page 0 of A is taken for pinned

    @pins.maybe-small.too-few
    Scenario: One mapping and 1022 references do not
      Given A has 1 page of private anonymous memory
      When A gets page 0 for reading 1022 times as hold h
      Then the folio of page 0 of A has 1023 references
      And page 0 of A is not taken for pinned

    @pins.maybe-small.mapping
    Scenario: The mapping of a child is the reference that was missing
      Given A has 1 page of private anonymous memory
      And A gets page 0 for reading 1022 times as hold h
      When A forks B
      Then page 0 of B is the same memory as page 0 of A
      And page 0 of A is taken for pinned

    @pins.maybe-small.page-cache
    Scenario: The page cache's own reference counts, too
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      When A gets page 0 for reading 1022 times as hold h
      Then page 0 of A is taken for pinned

    @pins.maybe-small.fork
    Scenario: fork takes a reference before it asks, so that 1023 are enough for a copy
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A pins page 0 of other for reading as hold p
      When A gets page 0 for reading 1022 times as hold h
      Then the folio of page 0 of A has 1023 references
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A
      And B reads "old" in page 0
      And page 0 of A is not taken for pinned

    @pins.maybe-small.fork-too-few
    Scenario: A page with 1022 references is shared
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A pins page 0 of other for reading as hold p
      When A gets page 0 for reading 1021 times as hold h
      Then the folio of page 0 of A has 1022 references
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

  @pins.maybe-large
  Rule: A large folio MUST be taken for pinned, all of it, exactly while it has a pin, however many references it has

    @pins.maybe-large.one-pin
    Scenario Outline: One pin on one page of <page> is a pin on every page
      Given A has <page>
      When A pins page 3 for reading as hold h
      Then every page of A is taken for pinned

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @pins.maybe-large.references
    Scenario Outline: 5000 references to <page> are no pin
      Given A has <page>
      When A gets page 0 for reading 5000 times as hold h
      Then page 0 of A is not taken for pinned

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |
        | a hugetlb page                   |

    @pins.maybe-large.copy
    Scenario: A pin for reading of a shared folio lands on the copy that it makes, and the shared folio has none
      Given A has an order-4 folio
      And A forks B
      When A pins page 0 for reading as hold h
      Then page 0 of A was copied
      And page 0 of A is taken for pinned
      And page 0 of B is not taken for pinned
