# SPDX-License-Identifier: MIT
Feature: What a long-term pin refuses, replaces and moves

  @pins.longterm-private @since:6.12
  Rule: A long-term pin for reading MUST first put a page of its own in the place of a zero page or a page of a file in a private mapping

    @pins.longterm-private.coherent
    Scenario Outline: The pin of <source> sees the next write
      Given A maps <source> privately and reads it
      And A pins page 0 for reading, long-term, as hold h
      When A writes "new" to page 0
      Then the driver reads "new" through hold h

      Examples:
        | source                |
        | anonymous memory      |
        | huge anonymous memory |
        | a memfd               |
        | a tmpfs file          |
        | a disk file           |
        | a hugetlb memfd       |

    @pins.longterm-private.coherent-fast
    Scenario Outline: So does a fast pin of <source>
      Given A maps <source> privately and reads it
      And A pins page 0 for reading, long-term, fast, as hold h
      When A writes "new" to page 0
      Then the driver reads "new" through hold h

      Examples:
        | source                |
        | anonymous memory      |
        | huge anonymous memory |
        | a memfd               |
        | a tmpfs file          |
        | a disk file           |
        | a hugetlb memfd       |

    @pins.longterm-private.replaced
    Scenario Outline: The page of <source> is replaced by an anonymous page that is marked exclusive
      Given A maps <source> privately and reads it
      When A pins page 0 for reading, long-term, as hold h
      Then page 0 of A is an anon page
      And page 0 of A is marked exclusive
      And page 0 of A is taken for pinned

      Examples:
        | source           |
        | anonymous memory |
        | a memfd          |
        | a tmpfs file     |
        | a disk file      |

    @pins.longterm-private.shared-mapping
    Scenario: In a shared mapping the page of the file itself is pinned
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      When A pins page 0 for reading, long-term, as hold h
      Then page 0 of A is where it was
      And page 0 of A is no anon page

    @pins.longterm-private.short
    Scenario Outline: A short pin of <source> leaves it where it is, and does not see the next write
      Given A maps <source> privately and reads it
      And A pins page 0 for reading as hold h
      When A writes "new" to page 0
      Then the driver reads <content> through hold h

      Examples:
        | source           | content |
        | anonymous memory | ""      |
        | a memfd          | "old"   |
        | a disk file      | "old"   |

  @pins.longterm-private-kept @until:6.1
  Rule: In 6.1 a long-term pin for reading MUST leave a zero page or a page of a file in a private mapping where it is, so that it does not see the next write

    @pins.longterm-private-kept.parted
    Scenario Outline: The pin of <source> goes on reading what was there
      Given A maps <source> privately and reads it
      And A pins page 0 for reading, long-term, as hold h
      When A writes "new" to page 0
      Then the driver reads <content> through hold h

      Examples:
        | source           | content |
        | anonymous memory | ""      |
        | a memfd          | "old"   |
        | a tmpfs file     | "old"   |
        | a disk file      | "old"   |
        | a hugetlb memfd  | "old"   |

    @pins.longterm-private-kept.place
    Scenario Outline: The page of <source> stays what it is
      Given A maps <source> privately and reads it
      When A pins page 0 for reading, long-term, fast, as hold h
      Then page 0 of A is where it was
      And page 0 of A is no anon page

      Examples:
        | source       |
        | a memfd      |
        | a tmpfs file |
        | a disk file  |

  @pins.longterm-file @since:6.12
  Rule: A long-term pin for writing MUST fail with EFAULT in a shared mapping of a file whose file system tracks dirty pages, and MUST be granted for shmem and hugetlb

    @pins.longterm-file.refused
    Scenario Outline: A page of a file on a disk cannot be pinned <manner>
      Given file f has 1 page on a disk file system
      And A maps file f shared
      And A writes "new" to page 0
      When A tries to pin page 0 <manner> as hold h
      Then it fails with EFAULT

      Examples:
        | manner                        |
        | for writing, long-term,       |
        | for writing, long-term, fast, |

    @pins.longterm-file.granted
    Scenario Outline: It can be pinned or held <manner>
      Given file f has 1 page on a disk file system
      And A maps file f shared
      And A writes "new" to page 0
      When A tries to <take> page 0 <manner> as hold h
      Then 1 page is handed out

      Examples:
        | manner                        | take |
        | for writing                   | pin  |
        | for writing, fast,            | pin  |
        | for reading, long-term,       | pin  |
        | for reading, long-term, fast, | pin  |
        | for writing, with FOLL_FORCE, | get  |

    @pins.longterm-file.private
    Scenario: In a private mapping the copy is pinned
      Given A maps a disk file privately and reads it
      When A tries to pin page 0 for writing, long-term, as hold h
      Then 1 page is handed out
      And page 0 of A is an anon page

    @pins.longterm-file.memory
    Scenario Outline: A shared page on <filesystem> can be pinned so
      Given file f has 1 page on <filesystem>
      And A maps file f shared
      When A tries to pin page 0 for writing, long-term, as hold h
      Then 1 page is handed out

      Examples:
        | filesystem |
        | memfd      |
        | tmpfs      |

  @pins.longterm-file-old @until:6.1
  Rule: In 6.1 a long-term pin for writing MUST be granted in a shared mapping of a file, whatever its file system

    @pins.longterm-file-old.disk
    Scenario Outline: A page of a file on a disk can be pinned <manner>
      Given file f has 1 page on a disk file system
      And A maps file f shared
      And A writes "new" to page 0
      When A tries to pin page 0 <manner> as hold h
      Then 1 page is handed out
      And page 0 of A is taken for pinned

      Examples:
        | manner                        |
        | for writing, long-term,       |
        | for writing, long-term, fast, |

  @pins.movable @needs:zone-movable
  Rule: A long-term pin MUST move a page out of ZONE_MOVABLE before it is handed out, and a short pin MUST leave it there

    @pins.movable.longterm
    Scenario Outline: A page in ZONE_MOVABLE is moved by a pin <manner>
      Given A has 1 page of private anonymous memory
      And A moves page 0 to the other node
      When A pins page 0 <manner> as hold h
      Then page 0 of A is other memory than before
      And page 0 of A is marked exclusive
      And the driver reads "old" through hold h

      Examples:
        | manner                        |
        | for reading, long-term,       |
        | for reading, long-term, fast, |
        | for writing, long-term,       |
        | for writing, long-term, fast, |

    @pins.movable.kinds
    Scenario Outline: So is <page>, as a whole
      Given A has <page>
      And A moves every page to the other node
      When A pins page 0 for reading, long-term, as hold h
      Then every page of A is other memory than before
      And page 0 of A is taken for pinned
      And A reads "old" in every page

      Examples:
        | page                             |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @pins.movable.io-uring
    Scenario: An io_uring buffer is such a pin
      Given A has 1 page of private anonymous memory
      And A moves page 0 to the other node
      When A registers page 0 as io_uring buffer b
      Then page 0 of A is other memory than before

    @pins.movable.short
    Scenario Outline: It stays when a driver <takes> it <manner>
      Given A has 1 page of private anonymous memory
      And A moves page 0 to the other node
      When A <takes> page 0 <manner> as hold h
      Then page 0 of A is where it was

      Examples:
        | manner             | takes |
        | for reading        | pins  |
        | for reading, fast, | pins  |
        | for writing        | gets  |
        | for writing, fast, | gets  |

    @pins.movable.elsewhere
    Scenario: A page outside of ZONE_MOVABLE stays where it is
      Given A has 1 page of private anonymous memory
      When A pins page 0 for writing, long-term, as hold h
      Then page 0 of A is where it was

  @pins.movable-stuck @needs:zone-movable
  Rule: A long-term pin MUST fail with ENOMEM if a page cannot leave ZONE_MOVABLE

    @pins.movable-stuck.held
    Scenario Outline: A page that somebody <takes> cannot be moved, and so cannot be pinned for long
      Given A has 1 page of private anonymous memory
      And A moves page 0 to the other node
      And A <takes> page 0 for reading as hold first
      When A tries to pin page 0 for reading, long-term, as hold h
      Then it fails with ENOMEM
      And page 0 of A is where it was

      Examples:
        | takes |
        | gets  |
        | pins  |

    @pins.movable-stuck.released
    Scenario: When that is given back the pin is granted
      Given A has 1 page of private anonymous memory
      And A moves page 0 to the other node
      And A gets page 0 for reading as hold first
      And hold first is given back
      When A pins page 0 for reading, long-term, as hold h
      Then page 0 of A is other memory than before
