# SPDX-License-Identifier: MIT
Feature: Nobody sees what another process writes to its private memory

  @cow.isolation
  Rule: After fork, what one side writes to private memory MUST NOT appear on the other side

    @cow.isolation.parent-writes
    Scenario Outline: The child keeps its content when the parent writes
      Given A has <page>
      And A forks B
      And B reads every page
      When A writes "new" to every page
      Then B reads "old" in every page
      And A reads "new" in every page

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

    @cow.isolation.mprotect
    Scenario Outline: The child keeps its content when the parent writes after an mprotect round trip
      Given A has <page>
      And A forks B
      And B reads every page
      And A makes every page read-only
      And A makes every page read-write
      When A writes "new" to every page
      Then B reads "old" in every page
      And A reads "new" in every page

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

    @cow.isolation.child-writes
    Scenario Outline: The parent keeps its content when the child writes
      Given A has <page>
      And A forks B
      When B writes "new" to every page
      Then A reads "old" in every page
      And B reads "new" in every page

      Examples:
        | page                                               |
        | a base page                                        |
        | a base page, swapped out                           |
        | an order-4 folio                                   |
        | an order-9 folio mapped by a PMD                   |
        | an order-9 folio mapped by a PMD, swapped out      |
        | an order-9 folio mapped by PTEs                    |
        | an order-9 folio mapped by PTEs, swapped out       |
        | an order-9 folio with one page mapped              |
        | an order-9 folio with one page mapped, swapped out |
        | an order-9 folio half moved by mremap              |
        | an order-9 folio partly shared before              |
        | a hugetlb page                                     |

    @cow.isolation.one-page
    Scenario Outline: A write to one page changes that page of the writer and nothing else
      Given A has <page>
      And A forks B
      When A writes "new" to page 1
      Then A reads "old" in page 0
      And A reads "new" in page 1
      And A reads "old" in page 2
      And B reads "old" in every page

      Examples:
        | page                             |
        | an order-2 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @cow.isolation.siblings
    Scenario: Two children and their parent each keep what they wrote
      Given A has 1 page of private anonymous memory
      And A forks B
      And A forks C
      When A writes "a" to page 0
      And B writes "b" to page 0
      And C writes "c" to page 0
      Then A reads "a" in page 0
      And B reads "b" in page 0
      And C reads "c" in page 0

    @cow.isolation.grandchild
    Scenario: A grandchild keeps the content from the time of its birth
      Given A has 1 page of private anonymous memory
      And A forks B
      And B writes "b" to page 0
      And B forks C
      When B writes "b2" to page 0
      And A writes "a" to page 0
      Then C reads "b" in page 0
      And B reads "b2" in page 0

  @cow.private-mapping
  Rule: A write through a private mapping MUST NOT be seen in the file or through any other mapping that exists

    @cow.private-mapping.file
    Scenario Outline: A shared mapping of the file keeps showing what the file holds
      Given A maps <source> privately and reads it
      And A maps file f shared as view
      And A reads page 0 of view
      When A writes "new" to every page
      Then A reads "old" in every page of view
      And A reads "new" in every page

      Examples:
        | source          |
        | a memfd         |
        | a tmpfs file    |
        | a disk file     |
        | a hugetlb memfd |

    @cow.private-mapping.zero
    Scenario Outline: Another mapping of a zero page still shows zeros
      Given A maps <source> privately and reads it
      And B maps <source> privately and reads it
      When A writes "new" to every page
      Then B reads "" in every page
      And A reads "new" in every page

      Examples:
        | source                |
        | anonymous memory      |
        | huge anonymous memory |

    @cow.private-mapping.two-private
    Scenario Outline: Two private mappings of one file do not see each other's writes
      Given A maps <source> privately and reads it
      And B maps file f privately
      And B reads page 0
      When A writes "new" to page 0
      Then B reads "old" in page 0

      Examples:
        | source          |
        | a memfd         |
        | a tmpfs file    |
        | a disk file     |
        | a hugetlb memfd |

    @cow.private-mapping.later
    Scenario Outline: Once copied, a page no longer follows its file
      Given A maps <source> privately and reads it
      And A writes "new" to page 0
      When file f holds "later" in page 0
      Then A reads "new" in page 0

      Examples:
        | source       |
        | a memfd      |
        | a tmpfs file |
        | a disk file  |
