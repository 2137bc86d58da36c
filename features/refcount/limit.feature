# SPDX-License-Identifier: MIT
Feature: The limit of the reference count

  The counter has 32 bits and a sign. 2147483647 is the most that it can say; with one more it says -2147483648.

  @refcount.limit @refcount_bits:32
  Rule: The counter MUST be negative from 2147483648 references on

    @refcount.limit.last
    Scenario: 2147483647 references are the most that it can count
      Given A has a base page
      When a driver takes 2147483646 references to page 0 of A
      Then the folio of page 0 of A has 2147483647 references

    @refcount.limit.crossed
    Scenario: With one more it is negative
      Given A has a base page
      When a driver takes 2147483647 references to page 0 of A
      Then the folio of page 0 of A has -2147483648 references

    @refcount.limit.file
    Scenario: Of a file's folio the 512 references of the page cache count too
      Given file f has an order-9 folio on memfd
      And A maps file f shared, 1 page off its alignment, as off
      And A calls MADV_POPULATE_READ on every page of off
      When a driver takes 2147482624 references to page 0 of A's off
      Then the folio of page 0 of A's off has -2147483648 references

  @refcount.limit-gup @refcount_bits:32
  Rule: get_user_pages and pin_user_pages MUST refuse a folio whose counter is negative

    @refcount.limit-gup.get
    Scenario Outline: vmsplice of <page> fails with ENOMEM
      Given A has <page>
      And a driver takes 2147483647 references to page 0 of A
      When A tries to vmsplice page 0
      Then it fails with ENOMEM
      And the kernel warns in mm/gup.c

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |
        | an order-9 folio mapped by PTEs  |

    @refcount.limit-gup.pin
    Scenario Outline: A fixed buffer of <page> fails with ENOMEM
      Given A has <page>
      And a driver takes 2147483647 references to page 0 of A
      When A tries to register page 0 as io_uring buffer b
      Then it fails with ENOMEM
      And the kernel warns in mm/gup.c

      Examples:
        | page                             |
        | a base page                      |
        | an order-4 folio                 |
        | an order-9 folio mapped by a PMD |

    @refcount.limit-gup.short
    Scenario Outline: Of two pages of which the second is such a page the first is handed out <manner>
      Given A has 2 pages of private anonymous memory
      And a driver takes 2147483647 references to page 1 of A
      When A tries to <take> pages 0 to 1 <manner> as hold h
      Then 1 page is handed out
      And the kernel warns in mm/gup.c

      Examples:
        | manner             | take |
        | for reading        | get  |
        | for reading, fast, | get  |
        | for writing        | pin  |

    @refcount.limit-gup.within
    Scenario: Of four pages of one folio two are handed out, if the second crosses the limit
      Given A has an order-4 folio
      And a driver takes 2147483630 references to page 0 of A
      When A tries to get pages 0 to 3 for reading as hold h
      Then 2 pages are handed out
      And the kernel warns in mm/gup.c
      And the folio of page 0 of A has -2147483648 references

    @refcount.limit-gup.process-vm
    Scenario: process_vm_readv fails with EFAULT
      Given A has a base page
      And a driver takes 2147483647 references to page 0 of A
      When A tries to read page 0 with process_vm_readv
      Then it fails with EFAULT
      And the kernel warns in mm/gup.c

    @refcount.limit-gup.proc-mem
    Scenario: A read of the mem file fails with EIO
      Given A has a base page
      And a driver takes 2147483647 references to page 0 of A
      When A tries to read page 0 through its mem file
      Then it fails with EIO
      And the kernel warns in mm/gup.c

    @refcount.limit-gup.populate
    Scenario: MADV_POPULATE_READ takes no reference and asks all the same: it fails with ENOMEM
      Given A has a base page
      And a driver takes 2147483647 references to page 0 of A
      When A tries MADV_POPULATE_READ on page 0
      Then it fails with ENOMEM
      And the kernel warns in mm/gup.c

    @refcount.limit-gup.populate-file
    Scenario: MADV_POPULATE_READ of a file's page maps it, fails with ENOMEM all the same, and a load succeeds
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      And a driver takes 2147483646 references to page 0 of A
      And B maps file f shared
      When B tries MADV_POPULATE_READ on page 0
      Then it fails with ENOMEM
      And the kernel warns in mm/gup.c
      And B has a PTE for page 0
      And B reads "old" in page 0

    @refcount.limit-gup.mlock
    Scenario: mlock fails with EAGAIN
      Given A has a base page
      And a driver takes 2147483647 references to page 0 of A
      When A tries to lock page 0
      Then it fails with EAGAIN
      And the kernel warns in mm/gup.c

    @refcount.limit-gup.other-pages
    Scenario: Other pages of the same process are not concerned
      Given A has 2 pages of private anonymous memory
      And a driver takes 2147483647 references to page 0 of A
      When A tries to vmsplice page 1
      Then it succeeds

  @refcount.limit-crossing @refcount_bits:32
  Rule: The counter MUST be looked at before it is added to, so the reference that crosses the limit is given

    @refcount.limit-crossing.get
    Scenario: The last reference is given, the next is not
      Given A has a base page
      And a driver takes 2147483646 references to page 0 of A
      When A vmsplices page 0 into pipe p
      Then the folio of page 0 of A has -2147483648 references
      When A tries to vmsplice page 0
      Then it fails with ENOMEM
      And the kernel warns in mm/gup.c

    @refcount.limit-crossing.pin
    Scenario: A pin of a small page that adds 1024 crosses by up to 1023
      Given A has a base page
      And a driver takes 2147483646 references to page 0 of A
      When A registers page 0 as io_uring buffer b
      Then the folio of page 0 of A has -2147482625 references

  @refcount.limit-tee @refcount_bits:32
  Rule: tee MUST refuse a page whose counter is negative: with EFAULT if it is the first, else it shares those before it

    @refcount.limit-tee.first
    Scenario: tee of one such page fails with EFAULT
      Given A has a base page
      And A vmsplices page 0 into pipe p
      And a driver takes 2147483647 references to page 0 of A
      When somebody tries to tee pipe p into pipe q
      Then it fails with EFAULT
      And the kernel warns in include/linux/mm.h

    @refcount.limit-tee.second
    Scenario: tee of two pages of which the second is such a page shares the first
      Given A has 2 pages of private anonymous memory
      And A vmsplices pages 0 to 1 into pipe p
      And a driver takes 2147483647 references to page 1 of A
      When somebody tries to tee pipe p into pipe q
      Then pipe q has got 1 page
      And the kernel warns in include/linux/mm.h
      And the folio of page 0 of A has 3 references
      And the folio of page 1 of A has -2147483647 references

  @refcount.limit-fuse @refcount_bits:32
  Rule: splice to /dev/fuse MUST fail with EINVAL where it would have to split a page whose counter is negative

    @refcount.limit-fuse.split
    Scenario: Half a page cannot go to FUSE
      Given A has a base page
      And A vmsplices page 0 into pipe p
      And a driver takes 2147483647 references to page 0 of A
      When somebody tries to splice half a page of pipe p to FUSE
      Then it fails with EINVAL
      And the kernel warns in include/linux/mm.h

    @refcount.limit-fuse.below
    Scenario: Below the limit it can
      Given A has a base page
      And A vmsplices page 0 into pipe p
      When somebody tries to splice half a page of pipe p to FUSE
      Then it succeeds

  @refcount.limit-unchecked @refcount_bits:32
  Rule: fork, page faults and PMD splits MUST NOT look at the counter: they succeed and count on

    @refcount.limit-unchecked.fork
    Scenario Outline: fork of <page> succeeds
      Given A has <page>
      And a driver takes 2147483647 references to page 0 of A
      When A forks B
      Then B reads "old" in every page
      And the folio of page 0 of A has <count> references

      Examples:
        | page                             | count       |
        | a base page                      | -2147483647 |
        | an order-4 folio                 | -2147483617 |
        | an order-9 folio mapped by a PMD | -2147483647 |
        | an order-9 folio mapped by PTEs  | -2147482625 |

    @refcount.limit-unchecked.crosses
    Scenario: fork itself crosses the limit
      Given A has an order-9 folio mapped by PTEs
      And a driver takes 2147483135 references to page 0 of A
      When A forks B
      Then B reads "old" in every page
      And the folio of page 0 of A has -2147483137 references

    @refcount.limit-unchecked.fault
    Scenario: A second process maps a page of a file whose counter is negative
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      And a driver takes 2147483647 references to page 0 of A
      When B maps file f shared
      And B reads page 0
      Then B reads "old" in page 0
      And the folio of page 0 of A has -2147483646 references

    @refcount.limit-unchecked.file-write
    Scenario: write to a file changes a page whose counter is negative
      Given file f has 1 page on memfd
      And A maps file f shared
      And A reads page 0
      And a driver takes 2147483647 references to page 0 of A
      When file f holds "new" in page 0
      Then A reads "new" in page 0

    @refcount.limit-unchecked.pmd-split
    Scenario: A PMD is split into 512 PTEs
      Given A has an order-9 folio mapped by a PMD
      And a driver takes 2147483647 references to page 0 of A
      When A unmaps page 511
      Then A has a PTE for pages 0 to 510
      And the folio of page 0 of A has -2147483138 references

    @refcount.limit-unchecked.mapping
    Scenario: One more mapping of a file's folio by PTEs crosses the limit
      Given file f has an order-9 folio on memfd
      And A maps file f shared 1 times by PTEs and reads it
      And a driver takes 2147482112 references to page 0 of A's v1
      And B maps file f shared, 1 page off its alignment, as off
      When B reads every page of off
      Then the folio of page 0 of B's off has -2147483648 references
      And B reads "old" in every page of off

  @refcount.limit-unmap @refcount_bits:32
  Rule: Unmapping and dropping references MUST work while the counter is negative, and the counter MUST climb back

    @refcount.limit-unmap.exit
    Scenario: The exit of the child takes its references back
      Given A has an order-4 folio
      And A forks B
      And a driver takes 2147483616 references to page 0 of A
      When B exits
      Then the folio of page 0 of A has 2147483632 references

    @refcount.limit-unmap.get-again
    Scenario: As soon as the counter is positive again vmsplice succeeds
      Given A has a base page
      And A forks B
      And a driver takes 2147483646 references to page 0 of A
      When A tries to vmsplice page 0
      Then it fails with ENOMEM
      And the kernel warns in mm/gup.c
      When B exits
      And A tries to vmsplice page 0
      Then it succeeds

    @refcount.limit-unmap.dropped
    Scenario: When the driver drops its references nothing is left of it
      Given A has a base page
      And a driver takes 2147483647 references to page 0 of A
      When the driver drops its references
      Then the folio of page 0 of A has 1 reference
      And A reads "old" in page 0

    @refcount.limit-unmap.held
    Scenario: A page that its process unmaps at the limit stays with those who hold it
      Given A has a base page
      And A vmsplices page 0 into pipe p
      And a driver takes 2147483646 references to page 0 of A
      When A unmaps page 0
      And the driver drops its references
      Then pipe p holds "old"

  @refcount.limit-copy @refcount_bits:32
  Rule: A write to an unmarked small anonymous page whose counter is negative MUST copy it, and a write to a marked one MUST reuse it

    @refcount.limit-copy.unmarked
    Scenario: The last user copies
      Given A has a base page
      And A forks B
      And B exits
      And a driver takes 2147483647 references to page 0 of A
      When A writes "new" to page 0
      Then page 0 of A was copied
      And A reads "new" in page 0

    @refcount.limit-copy.marked
    Scenario: A page that is marked exclusive is written in place
      Given A has a base page
      And a driver takes 2147483647 references to page 0 of A
      When A makes page 0 read-only
      And A makes page 0 read-write
      And A writes "new" to page 0
      Then page 0 of A was reused

  @refcount.limit-looks-pinned @refcount_bits:32
  Rule: A small page whose counter is negative MUST look pinned to fork, because the test takes the counter without its sign

    @refcount.limit-looks-pinned.copied
    Scenario: In a process that has pinned another page fork copies it
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A registers page 0 of other as io_uring buffer b
      And a driver takes 2147483647 references to page 0 of A
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A
      And the folio of page 0 of A has -2147483648 references

    @refcount.limit-looks-pinned.shared
    Scenario: In a process that has pinned nothing fork shares it
      Given A has 1 page of private anonymous memory
      And a driver takes 2147483647 references to page 0 of A
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

    @refcount.limit-looks-pinned.large
    Scenario: A large folio counts its pins apart and does not look pinned
      Given A has an order-4 folio
      And A has 1 page of private anonymous memory as other
      And A registers page 0 of other as io_uring buffer b
      And a driver takes 2147483647 references to page 0 of A
      When A forks B
      Then every page of B is the same memory as every page of A

  @refcount.limit-wraps @refcount_bits:32
  Rule: The counter MUST NOT saturate: 4294967296 references more MUST leave it as it was

    @refcount.limit-wraps.twice
    Scenario: 4294967294 references turn 5 into 3
      Given A has a base page
      And A forks B1 to B4
      When a driver takes 2147483647 references to page 0 of A
      And another driver takes 2147483647 references to page 0 of A
      Then the folio of page 0 of A has 3 references

    @refcount.limit-wraps.unnoticed
    Scenario: Nobody notices: vmsplice succeeds again
      Given A has a base page
      And A forks B1 to B4
      And a driver takes 2147483647 references to page 0 of A
      And another driver takes 2147483647 references to page 0 of A
      When A tries to vmsplice page 0
      Then it succeeds
