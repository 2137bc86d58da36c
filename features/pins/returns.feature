# SPDX-License-Identifier: MIT
Feature: What get_user_pages returns

  @pins.partial
  Rule: get_user_pages MUST return how many pages it got before the first that it cannot get, and an error only if that is the first

    @pins.partial.hole
    Scenario Outline: Two pages before a hole are handed out <manner>
      Given A has 4 pages of private anonymous memory
      And A unmaps pages 2 to 3
      When A tries to <take> pages 0 to 3 <manner> as hold h
      Then 2 pages are handed out
      And the driver reads "old" through hold h

      Examples:
        | manner                        | take |
        | for reading                   | get  |
        | for reading, fast,            | get  |
        | for writing                   | pin  |
        | for writing, long-term, fast, | pin  |

    @pins.partial.protection
    Scenario: One page before a page that may not be written
      Given A has 2 pages of private anonymous memory
      And A makes page 1 read-only
      When A tries to pin pages 0 to 1 for writing as hold h
      Then 1 page is handed out

    @pins.partial.first
    Scenario: Nothing before the hole is an error
      Given A has 4 pages of private anonymous memory
      And A unmaps pages 0 to 1
      When A tries to get pages 0 to 3 for reading as hold h
      Then it fails with EFAULT

  @pins.in-turn @since:6.18
  Rule: get_user_pages MUST take each page before it faults in the next, so that what it holds of a large folio keeps the other pages of it from being reused

    @pins.in-turn.others-copied
    Scenario Outline: Of <page> that a child has mapped the first page stays and the others are copied, <manner>
      Given A has <page>
      And A forks B
      And B exits
      When A <takes> every page <manner> as hold h
      Then page 0 of A was reused
      And pages 1 to <last> of A were copied

      Examples:
        | manner                        | takes | page                            | last |
        | for writing                   | gets  | an order-4 folio mapped by PTEs | 15   |
        | for writing, fast,            | gets  | an order-9 folio mapped by PTEs | 511  |
        | for writing, long-term,       | pins  | an order-4 folio mapped by PTEs | 15   |
        | for writing, long-term, fast, | pins  | an order-9 folio mapped by PTEs | 511  |
        | for reading                   | pins  | an order-4 folio mapped by PTEs | 15   |
        | for reading, long-term, fast, | pins  | an order-9 folio mapped by PTEs | 511  |

    @pins.in-turn.given-back
    Scenario: Who gives each page back before the next leaves all where they are
      Given A has an order-4 folio mapped by PTEs
      And A forks B
      And B exits
      When A reads every page with process_vm_readv
      Then every page of A was reused
      And every page of A is marked exclusive

    @pins.in-turn.written-before
    Scenario: So does who writes to them first
      Given A has an order-4 folio mapped by PTEs
      And A forks B
      And B exits
      And A writes "new" to every page
      When A pins every page for writing as hold h
      Then every page of A is where it was
      And the folio of page 0 of A has 32 references

    @pins.in-turn.by-pmd
    Scenario: Under a PMD there is one entry, and all pages stay
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And B exits
      When A pins every page for writing as hold h
      Then every page of A was reused

  @pins.dirty
  Rule: pin_user_pages, and a fast call that finds the entry writable, MUST leave a clean page clean, also for writing: who writes to it has to mark it dirty

    @pins.dirty.clean
    Scenario Outline: A page that MADV_FREE has made clean stays so when a driver pins it <manner>
      Given A has 1 page of private anonymous memory
      And A calls MADV_FREE on page 0
      When A pins page 0 <manner> as hold h
      Then smaps of A shows 4 kB LazyFree

      Examples:
        | manner                  |
        | for writing             |
        | for writing, long-term, |

    @pins.dirty.clean-fast @pte_special:1
    Scenario Outline: So it does when a driver <takes> it fast
      Given A has 1 page of private anonymous memory
      And A calls MADV_FREE on page 0
      When A <takes> page 0 for writing, fast, as hold h
      Then smaps of A shows 4 kB LazyFree

      Examples:
        | takes |
        | pins  |
        | gets  |

    @pins.dirty.no-fast @pte_special:0
    Scenario: Where there is no fast way a fast call makes it dirty
      Given A has 1 page of private anonymous memory
      And A calls MADV_FREE on page 0
      When A pins page 0 for writing, fast, as hold h
      Then smaps of A shows 0 kB LazyFree

    @pins.dirty.touched
    Scenario: get_user_pages for writing makes it dirty
      Given A has 1 page of private anonymous memory
      And A calls MADV_FREE on page 0
      When A gets page 0 for writing as hold h
      Then smaps of A shows 0 kB LazyFree
      And smaps of A shows 4 kB Private_Dirty

    @pins.dirty.lost @needs:swap
    Scenario: What a device writes is lost if nobody marks the page dirty
      Given A has 1 page of private anonymous memory
      And A calls MADV_FREE on page 0
      And A pins page 0 for writing as hold h
      And the driver writes "dev" through hold h
      And hold h is given back
      When A calls MADV_PAGEOUT on page 0
      Then A reads "" in page 0

    @pins.dirty.written
    Scenario: It is there if the process writes to the page itself
      Given A has 1 page of private anonymous memory
      And A calls MADV_FREE on page 0
      And A pins page 0 for writing as hold h
      And A writes "new" to page 0
      And the driver writes "dev" through hold h
      And hold h is given back
      When A calls MADV_PAGEOUT on page 0
      Then A reads "dev" in page 0

  @pins.refused
  Rule: get_user_pages MUST fail with EFAULT where the process could not do such an access itself, unless FOLL_FORCE is for that

    @pins.refused.hole
    Scenario Outline: Where nothing is mapped it fails <manner>
      Given A has 1 page of private anonymous memory
      And A unmaps page 0
      When A tries to <take> page 0 <manner> as hold h
      Then it fails with EFAULT

      Examples:
        | manner                        | take |
        | for reading                   | get  |
        | for reading, fast,            | get  |
        | for reading, with FOLL_FORCE, | get  |
        | for writing, long-term, fast, | pin  |

    @pins.refused.no-access
    Scenario Outline: Without any access allowed it fails <manner>
      Given A has 1 page of private anonymous memory
      And A makes page 0 no access
      When A tries to <take> page 0 <manner> as hold h
      Then it fails with EFAULT

      Examples:
        | manner             | take |
        | for reading        | get  |
        | for reading, fast, | pin  |
        | for writing, fast, | get  |

    @pins.refused.read-only
    Scenario Outline: In a read-only mapping it fails <manner>
      Given A has 1 page of private anonymous memory
      And A makes page 0 read-only
      When A tries to <take> page 0 <manner> as hold h
      Then it fails with EFAULT

      Examples:
        | manner                        | take |
        | for writing                   | get  |
        | for writing, fast,            | pin  |
        | for writing, long-term,       | pin  |

    @pins.refused.sigbus
    Scenario: Where a load ends in SIGBUS it fails, too
      Given a driver has 2 pages of RAM
      And A maps the driver's memory shared with vm_insert_page
      And A calls MADV_DONTNEED on page 0
      When A tries to get page 0 for reading as hold h
      Then it fails with EFAULT

    @pins.refused.raw
    Scenario Outline: Of raw page frame numbers it gets none <manner>
      Given a driver maps 2 pages of RAM into A with remap_pfn_range
      When A tries to <take> page 0 <manner> as hold h
      Then it fails with EFAULT

      Examples:
        | manner                        | take |
        | for reading                   | get  |
        | for reading, fast,            | get  |
        | for reading, with FOLL_FORCE, | get  |
        | for writing, long-term, fast, | pin  |

    @pins.refused.secret
    Scenario Outline: Of secret memory it gets none <manner>
      Given A maps secret memory
      And A reads page 0
      When A tries to <take> page 0 <manner> as hold h
      Then it fails with EFAULT

      Examples:
        | manner                        | take |
        | for reading                   | get  |
        | for reading, fast,            | get  |
        | for writing, long-term,       | pin  |
        | for writing, long-term, fast, | pin  |

  @pins.forced
  Rule: FOLL_FORCE MUST allow reading whatever the protection is, and writing in private mappings only

    @pins.forced.no-access
    Scenario: A page without any access allowed can be read
      Given A has 1 page of private anonymous memory
      And A makes page 0 no access
      When A tries to get page 0 for reading, with FOLL_FORCE, as hold h
      Then 1 page is handed out
      And the driver reads "old" through hold h

    @pins.forced.write
    Scenario: A page of a read-only private mapping can be written, and its entry stays read-only
      Given A has 1 page of private anonymous memory
      And A makes page 0 read-only
      When A tries to get page 0 for writing, with FOLL_FORCE, as hold h
      Then 1 page is handed out
      And page 0 of A is where it was
      And A cannot write page 0: SIGSEGV

    @pins.forced.copy
    Scenario: A page that a child maps is copied for it
      Given A has 1 page of private anonymous memory
      And A forks B
      And A makes page 0 read-only
      When A gets page 0 for writing, with FOLL_FORCE, as hold h
      Then page 0 of A was copied
      And page 0 of A is marked exclusive

    @pins.forced.shared
    Scenario: A read-only shared mapping is refused
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      And A makes page 0 read-only
      When A tries to get page 0 for writing, with FOLL_FORCE, as hold h
      Then it fails with EFAULT

  @pins.faults
  Rule: get_user_pages MUST fault in what is not there, as the access would that it is asked for

    @pins.faults.empty-read
    Scenario: An empty entry gets the zero page when it is read
      Given A maps 1 page of private anonymous memory
      When A gets page 0 for reading as hold h
      Then A has the zero page for page 0

    @pins.faults.empty-write
    Scenario: It gets a page of its own when it is to be written
      Given A maps 1 page of private anonymous memory
      When A gets page 0 for writing as hold h
      Then A has a PTE for page 0
      And page 0 of A is marked exclusive
      And the folio of page 0 of A has 2 references

    @pins.faults.huge
    Scenario: A huge page is allocated whole, and one reference is for the page that was asked for
      Given A maps 512 pages of private anonymous memory for order-9 folios
      When A gets page 5 for writing as hold h
      Then A has a PMD for every page
      And the folio of page 5 of A has 2 references

    @pins.faults.swapped
    Scenario: A page that is swapped out comes back
      Given A has a base page, swapped out
      When A pins page 0 for reading as hold h
      Then A has a PTE for page 0
      And the driver reads "old" through hold h

    @pins.faults.file
    Scenario: A page of a file is read in
      Given file f has 1 page on a disk file system
      And A maps file f shared
      When A gets page 0 for reading as hold h
      Then the driver reads "old" through hold h

    @pins.faults.file-private
    Scenario: For writing a private mapping of a file gets its copy
      Given file f has 1 page on memfd
      And A maps file f privately
      When A pins page 0 for writing as hold h
      Then page 0 of A is an anon page
      And page 0 of A has mapcount 1
      And the driver reads "old" through hold h
