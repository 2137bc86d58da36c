# SPDX-License-Identifier: MIT
Feature: Which system calls get and which pin

  @pins.sources-get
  Rule: vmsplice and /proc/PID/mem MUST take references by FOLL_GET

    @pins.sources-get.vmsplice
    Scenario: A page in a pipe has one reference more and no pin
      Given A has 1 page of private anonymous memory
      When A vmsplices page 0 into pipe p
      Then the folio of page 0 of A has 2 references
      And page 0 of A is not taken for pinned

    @pins.sources-get.vmsplice-shared
    Scenario: vmsplice leaves a shared page shared
      Given A has 1 page of private anonymous memory
      And A forks B
      When A vmsplices page 0 into pipe p
      Then page 0 of A is where it was
      And page 0 of A is not marked exclusive

    @pins.sources-get.mem-shared
    Scenario: So does a read through the mem file
      Given A has 1 page of private anonymous memory
      And A forks B
      When A reads page 0 through its mem file
      Then page 0 of A is where it was
      And page 0 of A is not marked exclusive

    @pins.sources-get.not-noted
    Scenario Outline: A process that <does> has not pinned
      Given A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A <does>
      And A gets page 0 for reading 1023 times as hold h
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

      Examples:
        | does                                           |
        | vmsplices page 0 of other into pipe p          |
        | reads page 0 of other through its mem file     |
        | writes "new" to page 0 of other through its mem file |

  @pins.sources-pin
  Rule: process_vm_readv MUST take a short FOLL_PIN for reading, and an io_uring buffer a long-term FOLL_PIN for writing

    @pins.sources-pin.process-vm-readv
    Scenario: process_vm_readv makes a shared page the process's own, and leaves no pin behind
      Given A has 1 page of private anonymous memory
      And A forks B
      When A reads page 0 with process_vm_readv
      Then page 0 of A was copied
      And page 0 of A is marked exclusive
      And page 0 of A is not taken for pinned

    @pins.sources-pin.process-vm-readv-file
    Scenario: It is no long-term pin: a page of a file in a private mapping stays
      Given A maps a memfd privately and reads it
      When A reads page 0 with process_vm_readv
      Then page 0 of A is where it was

    @pins.sources-pin.io-uring
    Scenario: An io_uring buffer has a pin on its page until it is unregistered
      Given A has 1 page of private anonymous memory
      When A registers page 0 as io_uring buffer b
      Then page 0 of A is taken for pinned
      When io_uring buffer b is unregistered
      Then page 0 of A is not taken for pinned

    @pins.sources-pin.io-uring-writes
    Scenario: It is taken for writing, so that a zero page is replaced
      Given A maps 1 page of private anonymous memory
      And A reads page 0
      When A registers page 0 as io_uring buffer b
      Then A has a PTE for page 0
      And page 0 of A is marked exclusive

    @pins.sources-pin.io-uring-longterm @since:6.12
    Scenario: It is long-term, so that a shared page of a file on a disk is refused
      Given file f has 1 page on a disk file system
      And A maps file f shared
      When A tries to register page 0 as io_uring buffer b
      Then it fails with EFAULT

  @pins.gup-test @since:6.12 @needs:gup-test
  Rule: gup_test of the kernel MUST pin for long as a driver does, all the pages that it is asked for or none

    @pins.gup-test.counts
    Scenario Outline: All of <page> has <references> references and <pins> pins
      Given A has <page>
      When A pins every page for reading, long-term, through gup_test as hold h
      Then the folio of page 0 of A has <references> references
      And the folio of page 0 of A has <pins> pins
      And page 0 of A is taken for pinned

      Examples:
        | page                             | references | pins |
        | a base page                      | 1025       | 0    |
        | an order-4 folio                 | 32         | 16   |
        | an order-9 folio mapped by a PMD | 513        | 512  |
        | an order-9 folio mapped by PTEs  | 1024       | 512  |
        | a hugetlb page                   | 513        | 512  |

    @pins.gup-test.coherent
    Scenario Outline: A pin <manner> of a page that a child maps, too, sees the next write
      Given A has 1 page of private anonymous memory
      And A forks B
      And A pins page 0 <manner> through gup_test as hold h
      When A writes "new" to page 0
      Then the driver reads "new" through hold h
      And B reads "old" in page 0

      Examples:
        | manner                        |
        | for reading, long-term,       |
        | for reading, long-term, fast, |
        | for writing, long-term,       |
        | for writing, long-term, fast, |

    @pins.gup-test.zero
    Scenario: It takes no zero page
      Given A maps 1 page of private anonymous memory
      And A reads page 0
      And A pins page 0 for reading, long-term, through gup_test as hold h
      When A writes "new" to page 0
      Then the driver reads "new" through hold h

    @pins.gup-test.fork
    Scenario: fork copies what it has pinned
      Given A has 1 page of private anonymous memory
      And A pins page 0 for reading, long-term, through gup_test as hold h
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A

    @pins.gup-test.given-back
    Scenario: When it is closed nothing of the pin is left
      Given A has 1 page of private anonymous memory
      And A pins page 0 for writing, long-term, through gup_test as hold h
      When hold h is given back
      Then the folio of page 0 of A has 1 reference
      And page 0 of A is not taken for pinned

    @pins.gup-test.none
    Scenario: It keeps no pin of the first page if the second cannot be had
      Given A has 2 pages of private anonymous memory
      And A makes page 1 no access
      When A tries to pin every page for reading, long-term, through gup_test as hold h
      Then it fails with EFAULT
      And the folio of page 0 of A has 1 reference

  @pins.direct-io @needs:direct-io
  Rule: Direct I/O MUST take the pages of its buffer by a short FOLL_PIN, since Linux 6.12 at the latest

    @pins.direct-io.write @since:6.12
    Scenario: A write with O_DIRECT makes a shared page the process's own, and leaves no pin behind
      Given file f has 1 page on a disk file system
      And A has 1 page of private anonymous memory
      And A forks B
      When A writes page 0 to file f with O_DIRECT
      Then page 0 of A was copied
      And page 0 of A is marked exclusive
      And page 0 of A is not taken for pinned

    @pins.direct-io.write-noted @since:6.12
    Scenario: A process that writes so has pinned
      Given file f has 1 page on a disk file system
      And A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A writes page 0 of other to file f with O_DIRECT
      And A gets page 0 for reading 1023 times as hold h
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A

    @pins.direct-io.read-noted @since:6.12
    Scenario: So has a process that reads so
      Given file f has 1 page on a disk file system
      And A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A reads file f into page 0 of other with O_DIRECT
      And A gets page 0 for reading 1023 times as hold h
      When A forks B
      Then page 0 of B is not the same memory as page 0 of A

    @pins.direct-io.read
    Scenario: A read with O_DIRECT breaks copy-on-write, because the device writes to the page
      Given file f has 1 page on a disk file system
      And file f holds "disk" in page 0
      And A has 1 page of private anonymous memory
      And A forks B
      When A reads file f into page 0 with O_DIRECT
      Then page 0 of A was copied
      And A reads "disk" in page 0
      And B reads "old" in page 0

    @pins.direct-io.zero
    Scenario: A write from the zero page leaves it there
      Given file f has 1 page on a disk file system
      And A maps 1 page of private anonymous memory
      And A reads page 0
      When A writes page 0 to file f with O_DIRECT
      Then A has the zero page for page 0

    @pins.direct-io.raw
    Scenario: A buffer of raw page frame numbers is refused
      Given file f has 1 page on a disk file system
      And a driver maps 1 page of RAM into A with remap_pfn_range
      When A tries to write page 0 to file f with O_DIRECT
      Then it fails with EFAULT

  @pins.direct-io-get @until:6.1 @needs:direct-io
  Rule: In 6.1 direct I/O MUST take the pages of its buffer by FOLL_GET

    @pins.direct-io-get.write
    Scenario: A write with O_DIRECT leaves a shared page shared
      Given file f has 1 page on a disk file system
      And A has 1 page of private anonymous memory
      And A forks B
      When A writes page 0 to file f with O_DIRECT
      Then page 0 of A is where it was
      And page 0 of A is not marked exclusive

    @pins.direct-io-get.not-noted
    Scenario Outline: In 6.1 a process that <does> has not pinned
      Given file f has 1 page on a disk file system
      And A has 1 page of private anonymous memory
      And A has 1 page of private anonymous memory as other
      And A <does>
      And A gets page 0 for reading 1023 times as hold h
      When A forks B
      Then page 0 of B is the same memory as page 0 of A

      Examples:
        | does                                             |
        | writes page 0 of other to file f with O_DIRECT   |
        | reads file f into page 0 of other with O_DIRECT  |
