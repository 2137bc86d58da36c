# SPDX-License-Identifier: MIT
Feature: Memory that the kernel itself offers to user space

  @driver_pages.interface-flags
  Rule: Of these parts of the kernel, one that maps its pages as pages MUST NOT have VM_PFNMAP, and one that maps raw page frame numbers MUST

    @driver_pages.interface-flags.pages
    Scenario Outline: <interface> has <flags> and no VM_PFNMAP
      Given A maps <interface>
      Then A has <flags>
      And A has none of VM_PFNMAP and VM_IO

      Examples:
        | interface         | flags                                      |
        | a packet ring     | VM_MIXEDMAP                                |
        | an io_uring ring  | VM_MIXEDMAP and VM_DONTEXPAND              |
        | a BPF array       | VM_MIXEDMAP, VM_DONTEXPAND and VM_DONTDUMP |
        | a BPF ring buffer | VM_MIXEDMAP, VM_DONTEXPAND and VM_DONTDUMP |
        | a TCP socket      | VM_MIXEDMAP                                |
        | a KVM vcpu        | none of VM_MIXEDMAP and VM_DONTEXPAND      |
        | an aio ring       | VM_DONTEXPAND                              |
        | its vdso          | VM_DONTEXPAND                              |

      @since:6.12
      Examples: Since 6.12
        | interface      | flags                                      |
        | an AF_XDP ring | VM_MIXEDMAP, VM_DONTEXPAND and VM_DONTDUMP |
        | a tracing ring | VM_MIXEDMAP, VM_DONTEXPAND and VM_DONTDUMP |
        | a BPF arena    | VM_DONTEXPAND                              |
        | secret memory  | VM_DONTDUMP                                |

      @until:6.12
      Examples: Up to 6.12
        | interface   | flags                         |
        | a perf ring | VM_DONTEXPAND and VM_DONTDUMP |

      @since:7.3
      Examples: Since 7.3
        | interface | flags                       |
        | its vvar  | VM_MIXEDMAP and VM_DONTDUMP |

    @driver_pages.interface-flags.raw
    Scenario Outline: <interface> is raw
      Given A maps <interface>
      Then A has VM_IO, VM_PFNMAP and VM_DONTDUMP
      And A has none of VM_MIXEDMAP

      Examples:
        | interface |
        | a PCI BAR |

      @until:6.1
      Examples: In 6.1
        | interface      |
        | an AF_XDP ring |

      @until:6.18
      Examples: Up to 6.18
        | interface |
        | its vvar  |

      @since:6.18
      Examples: Since 6.18
        | interface   |
        | a perf ring |

  @driver_pages.interface-counts
  Rule: What a part of the kernel maps as pages MUST count in RssFile and in mapcounts, and what it maps raw in neither

    @driver_pages.interface-counts.eager
    Scenario Outline: All pages of <interface> count at once
      Given A maps <interface>
      When A reads page 0
      Then A counts every page in RssFile

      Examples:
        | interface         |
        | a packet ring     |
        | an io_uring ring  |
        | a BPF ring buffer |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | an AF_XDP ring |
        | a tracing ring |

      @until:6.18
      Examples: Up to 6.18
        | interface   |
        | a BPF array |

    @driver_pages.interface-counts.lazy
    Scenario Outline: The page of <interface> that was touched counts
      Given A maps <interface>
      When A reads page 0
      Then A counts 0 pages in RssAnon, 1 in RssFile and 0 in RssShmem

      Examples:
        | interface  |
        | a KVM vcpu |

      @since:6.12
      Examples: Since 6.12
        | interface     |
        | a BPF arena   |
        | secret memory |

      @until:6.12
      Examples: Up to 6.12
        | interface   |
        | a perf ring |

      @since:7.3
      Examples: Since 7.3
        | interface   |
        | a BPF array |
        | its vvar    |

    @driver_pages.interface-counts.raw
    Scenario Outline: Nothing of <interface> counts
      Given A maps <interface>
      When A reads page 0
      Then A counts in no RSS
      And smaps of A shows 0 kB Pss

      Examples:
        | interface |
        | a PCI BAR |

      @until:6.1
      Examples: In 6.1
        | interface      |
        | an AF_XDP ring |

      @until:6.18
      Examples: Up to 6.18
        | interface |
        | its vvar  |

      @since:6.18
      Examples: Since 6.18
        | interface   |
        | a perf ring |

    @driver_pages.interface-counts.pagemap
    Scenario Outline: pagemap shows <bits> for page 0 of <interface>
      Given A maps <interface>
      When A reads page 0
      Then pagemap shows <bits> for page 0 of A

      Examples:
        | interface         | bits                        |
        | a packet ring     | present, file and exclusive |
        | an io_uring ring  | present, file and exclusive |
        | a BPF array       | present, file and exclusive |
        | a BPF ring buffer | present, file and exclusive |
        | a KVM vcpu        | present, file and exclusive |
        | an aio ring       | present, file and exclusive |
        | a PCI BAR         | nothing                     |

      @since:6.12
      Examples: Since 6.12
        | interface      | bits                        |
        | an AF_XDP ring | present, file and exclusive |
        | a tracing ring | present, file and exclusive |
        | a BPF arena    | present, file and exclusive |
        | secret memory  | present, file and exclusive |

      @until:6.18
      Examples: Up to 6.18
        | interface | bits    |
        | its vvar  | nothing |

      @since:6.18
      Examples: Since 6.18
        | interface   | bits    |
        | a perf ring | nothing |

    @driver_pages.interface-counts.mapcount
    Scenario Outline: Page 0 of <interface> has mapcount 2 when it is mapped twice
      Given A maps <interface>
      And A reads page 0
      When A maps the same as twin
      And A reads page 0 of twin
      Then page 0 of A has mapcount 2
      And page 0 of A is the same memory as page 0 of A's twin

      Examples:
        | interface         |
        | a packet ring     |
        | a BPF array       |
        | a BPF ring buffer |
        | a KVM vcpu        |

      @config:page_mapcount
      Examples: A page of a folio, where the kernel counts them one by one
        | interface        |
        | an io_uring ring |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | an AF_XDP ring |
        | secret memory  |

    @driver_pages.interface-counts.tcp
    Scenario: A TCP socket has no page before data arrives, and counts what has arrived
      Given A maps a TCP socket
      Then A counts in no RSS
      And A cannot read page 0: SIGBUS
      When 4 pages arrive at A
      Then pagemap shows present, file and exclusive for page 0 of A
      And A counts between 1 and 4 pages in RssFile

  @driver_pages.interface-fork
  Rule: A child MUST have the entries of an interface with VM_PFNMAP or VM_MIXEDMAP, an empty mapping of one with neither, and nothing with VM_DONTCOPY

    @driver_pages.interface-fork.copied
    Scenario Outline: The child has the pages of <interface> before it touches them
      Given A maps <interface>
      And A reads page 0
      When A forks B
      Then B has a PTE for page 0
      And page 0 of B is the same memory as page 0 of A

      Examples:
        | interface         |
        | a packet ring     |
        | an io_uring ring  |
        | a BPF array       |
        | a BPF ring buffer |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | an AF_XDP ring |

      @since:7.3
      Examples: Since 7.3
        | interface |
        | its vvar  |

    @driver_pages.interface-fork.raw
    Scenario Outline: The child has the raw entries of <interface>
      Given A maps <interface>
      And A reads page 0
      When A forks B
      Then B has a raw PTE for page 0

      Examples:
        | interface |
        | a PCI BAR |

      @until:6.1
      Examples: In 6.1
        | interface      |
        | an AF_XDP ring |

      @until:6.18
      Examples: Up to 6.18
        | interface |
        | its vvar  |

    @driver_pages.interface-fork.empty
    Scenario Outline: The child has <interface>, and faults its pages in
      Given A maps <interface>
      And A reads page 0
      When A forks B
      Then B has nothing for page 0
      When B reads page 0
      Then page 0 of B is the same memory as page 0 of A

      Examples:
        | interface  |
        | a KVM vcpu |
        | its vdso   |

      @since:6.12
      Examples: Since 6.12
        | interface     |
        | secret memory |

      @until:6.18
      Examples: Up to 6.18
        | interface   |
        | an aio ring |

    @driver_pages.interface-fork.absent
    Scenario Outline: fork leaves out <interface>
      Given A maps <interface>
      And A has VM_DONTCOPY
      And A reads page 0
      When A forks B
      Then B cannot read page 0: SIGSEGV

      Examples:
        | interface   |
        | a perf ring |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | a tracing ring |

      @since:7.3
      Examples: Since 7.3
        | interface   |
        | an aio ring |

  @driver_pages.interface-gup
  Rule: get_user_pages MUST give pages of an interface that maps pages, except of secret memory, and MUST refuse raw page frame numbers with EFAULT

    @driver_pages.interface-gup.given
    Scenario Outline: <interface> can be read with process_vm_readv, with vmsplice and through the mem file
      Given A maps <interface>
      And A reads page 0
      When A reads page 0 with process_vm_readv
      And A vmsplices page 0 into pipe p
      And A tries to read page 0 through its mem file
      Then it succeeds

      Examples:
        | interface         |
        | a packet ring     |
        | an io_uring ring  |
        | a BPF array       |
        | a BPF ring buffer |
        | a KVM vcpu        |
        | an aio ring       |
        | its vdso          |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | an AF_XDP ring |
        | a tracing ring |
        | a BPF arena    |

      @until:6.12
      Examples: Up to 6.12
        | interface   |
        | a perf ring |

      @since:7.3
      Examples: Since 7.3
        | interface |
        | its vvar  |

    @driver_pages.interface-gup.refused
    Scenario Outline: process_vm_readv of <interface> fails
      Given A maps <interface>
      And A reads page 0
      When A tries to read page 0 with process_vm_readv
      Then it fails with EFAULT

      Examples:
        | interface |
        | a PCI BAR |

      @until:6.1
      Examples: In 6.1
        | interface      |
        | an AF_XDP ring |

      @since:6.12
      Examples: Since 6.12
        | interface     |
        | secret memory |

      @until:6.18
      Examples: Up to 6.18
        | interface |
        | its vvar  |

      @since:6.18
      Examples: Since 6.18
        | interface   |
        | a perf ring |

    @driver_pages.interface-gup.empty
    Scenario: A TCP socket that has no page gives none
      Given A maps a TCP socket
      When A tries to read page 0 with process_vm_readv
      Then it fails with EFAULT

  @driver_pages.interface-pin
  Rule: A long-term pin for writing MUST fail with EFAULT where user space cannot write, and since 6.12 in a shared writable mapping with page_mkwrite or pfn_mkwrite

    @driver_pages.interface-pin.given @since:6.12
    Scenario Outline: A page of <interface> can be an io_uring buffer
      Given A maps <interface>
      And A reads page 0
      When A tries to register page 0 as io_uring buffer b
      Then it succeeds

      Examples:
        | interface        |
        | a packet ring    |
        | an AF_XDP ring   |
        | an io_uring ring |
        | a BPF array      |
        | a BPF arena      |
        | a KVM vcpu       |

    @driver_pages.interface-pin.read-only
    Scenario Outline: <interface> is read-only, and no page of it can be an io_uring buffer
      Given A maps <interface>
      And A reads page 0
      When A tries to register page 0 as io_uring buffer b
      Then it fails with EFAULT

      Examples:
        | interface         |
        | a BPF ring buffer |
        | its vdso          |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | a tracing ring |

    @driver_pages.interface-pin.write-notify @since:6.12
    Scenario Outline: <interface> wants to hear of writes, so no page of it can be an io_uring buffer
      Given A maps <interface>
      And A writes "new" to page 0
      When A tries to register page 0 as io_uring buffer b
      Then it fails with EFAULT

      Examples:
        | interface   |
        | an aio ring |
        | a perf ring |

  @driver_pages.interface-mem
  Rule: /proc/PID/mem MUST fail with EIO where get_user_pages fails, unless the part of the kernel has vm_ops->access

    @driver_pages.interface-mem.refused
    Scenario Outline: The mem file cannot read <interface>
      Given A maps <interface>
      When A tries to read page 0 through its mem file
      Then it fails with EIO

      Examples:
        | interface    |
        | a TCP socket |

      @until:6.1
      Examples: In 6.1
        | interface      |
        | an AF_XDP ring |

      @since:6.12
      Examples: Since 6.12
        | interface     |
        | secret memory |

      @until:6.18
      Examples: Up to 6.18
        | interface |
        | its vvar  |

      @since:6.18
      Examples: Since 6.18
        | interface   |
        | a perf ring |

    @driver_pages.interface-mem.access
    Scenario: A PCI BAR has generic_access_phys
      Given A maps a PCI BAR
      When A tries to read page 0 through its mem file
      Then it succeeds

  @driver_pages.interface-discard
  Rule: MADV_DONTNEED MUST drop pages of an interface, for good if it maps them in mmap, and MUST fail with EINVAL for VM_PFNMAP

    @driver_pages.interface-discard.gone
    Scenario Outline: A discarded page of <interface> is SIGBUS
      Given A maps <interface>
      When A calls MADV_DONTNEED on page 0
      Then A cannot read page 0: SIGBUS

      Examples:
        | interface         |
        | a packet ring     |
        | an io_uring ring  |
        | a BPF ring buffer |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | an AF_XDP ring |
        | a tracing ring |

      @until:6.18
      Examples: Up to 6.18
        | interface   |
        | a BPF array |

    @driver_pages.interface-discard.back
    Scenario Outline: A discarded page of <interface> comes back
      Given A maps <interface>
      And A reads page 0
      And A calls MADV_DONTNEED on page 0
      When A reads page 0
      Then A has a PTE for page 0

      Examples:
        | interface   |
        | a KVM vcpu  |
        | an aio ring |
        | its vdso    |

      @since:6.12
      Examples: Since 6.12
        | interface   |
        | a BPF arena |

      @until:6.12
      Examples: Up to 6.12
        | interface   |
        | a perf ring |

      @since:7.3
      Examples: Since 7.3
        | interface   |
        | a BPF array |
        | its vvar    |

    @driver_pages.interface-discard.refused
    Scenario Outline: MADV_DONTNEED on <interface> fails
      Given A maps <interface>
      When A tries MADV_DONTNEED on page 0
      Then it fails with EINVAL

      Examples:
        | interface |
        | a PCI BAR |

      @until:6.1
      Examples: In 6.1
        | interface      |
        | an AF_XDP ring |

      @until:6.18
      Examples: Up to 6.18
        | interface |
        | its vvar  |

      @since:6.18
      Examples: Since 6.18
        | interface   |
        | a perf ring |

  @driver_pages.interface-mremap
  Rule: mremap MUST grow an interface only without VM_PFNMAP and VM_DONTEXPAND, MUST NOT add pages to it, and MUST move it unless it chooses its own address

    @driver_pages.interface-mremap.grows
    Scenario Outline: <interface> grows, and the new pages are SIGBUS
      Given A maps <interface>
      When A grows mem to 32 pages
      Then A cannot read page 31: SIGBUS

      Examples:
        | interface     |
        | a packet ring |
        | a TCP socket  |
        | a KVM vcpu    |

    @driver_pages.interface-mremap.refused
    Scenario Outline: <interface> cannot grow
      Given A maps <interface>
      When A tries to grow mem to 32 pages
      Then it fails with EFAULT

      Examples:
        | interface         |
        | an io_uring ring  |
        | a perf ring       |
        | a BPF array       |
        | a BPF ring buffer |
        | an AF_XDP ring    |
        | an aio ring       |
        | its vdso          |
        | its vvar          |
        | a PCI BAR         |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | a BPF arena    |
        | a tracing ring |

    @driver_pages.interface-mremap.moves
    Scenario Outline: <interface> moves with its entries
      Given A maps <interface>
      And A reads page 0
      When A moves every page to moved
      Then A's moved has <entry> for page 0 of moved

      Examples:
        | interface         | entry     |
        | a packet ring     | a PTE     |
        | a BPF array       | a PTE     |
        | a BPF ring buffer | a PTE     |
        | a KVM vcpu        | a PTE     |
        | a PCI BAR         | a raw PTE |

    @driver_pages.interface-mremap.fixed @since:6.12
    Scenario Outline: <interface> chooses its address, and refuses another
      Given A maps <interface>
      When A tries to move every page to moved
      Then it fails with EINVAL

      Examples:
        | interface        |
        | an io_uring ring |
        | a BPF arena      |

  @driver_pages.interface-split
  Rule: munmap of a part of an interface MUST fail with EINVAL where vm_ops->may_split refuses, and succeed elsewhere

    @driver_pages.interface-split.refused
    Scenario Outline: One page of <interface> cannot be unmapped
      Given A maps <interface>
      When A tries to unmap page 0
      Then it fails with EINVAL

      Examples:
        | interface   |
        | a perf ring |

      @until:6.18
      Examples: Up to 6.18
        | interface |
        | its vvar  |

      @since:6.12
      Examples: Since 6.12
        | interface      |
        | a tracing ring |

    @driver_pages.interface-split.allowed
    Scenario Outline: One page of <interface> can be unmapped, and the others stay
      Given A maps <interface>
      And A reads page 1
      When A unmaps page 0
      Then A cannot read page 0: SIGSEGV
      And A has <entry> for page 1

      Examples:
        | interface         | entry     |
        | a packet ring     | a PTE     |
        | an io_uring ring  | a PTE     |
        | a BPF array       | a PTE     |
        | a BPF ring buffer | a PTE     |
        | a KVM vcpu        | a PTE     |
        | a PCI BAR         | a raw PTE |

  @driver_pages.interface-private
  Rule: A part of the kernel MAY refuse MAP_PRIVATE, and where it does not a write MUST go to a copy

    @driver_pages.interface-private.refused
    Scenario Outline: <interface> cannot be mapped privately
      When A tries to map <interface> privately
      Then it fails with <error>

      Examples:
        | interface   | error  |
        | a perf ring | EINVAL |
        | a BPF array | EINVAL |

      @since:6.12
      Examples: Since 6.12
        | interface      | error  |
        | a tracing ring | EPERM  |
        | a BPF arena    | EINVAL |
        | secret memory  | EINVAL |

    @driver_pages.interface-private.copied
    Scenario: A write to a private packet ring copies the page
      Given A maps a packet ring privately
      When A writes "new" to page 0
      Then A counts 1 page in RssAnon, 3 in RssFile and 0 in RssShmem
      And page 0 of A is an anon page
      And page 1 of A is no anon page

    @driver_pages.interface-private.discarded
    Scenario: The ring's page does not come back when the copy is discarded
      Given A maps a packet ring privately
      And A writes "new" to page 0
      When A calls MADV_DONTNEED on page 0
      Then A cannot read page 0: SIGBUS

  @driver_pages.interface-uffd
  Rule: userfaultfd MUST refuse every interface in missing mode and in write-protect mode, and asynchronous write-protect mode MUST be accepted for one without VM_PFNMAP, VM_MIXEDMAP, VM_IO and VM_DONTEXPAND

    @driver_pages.interface-uffd.missing
    Scenario Outline: <interface> cannot be registered in missing mode
      Given A maps <interface>
      When A tries to register page 0 with userfaultfd in missing mode
      Then it fails with EINVAL

      Examples:
        | interface     |
        | a packet ring |
        | a BPF array   |
        | a KVM vcpu    |
        | an aio ring   |

    @driver_pages.interface-uffd.write-protect
    Scenario Outline: <interface> cannot be registered in write-protect mode
      Given A maps <interface>
      When A tries to register page 0 with userfaultfd in write-protect mode
      Then it fails with EINVAL

      Examples:
        | interface     |
        | a packet ring |
        | a BPF array   |
        | a KVM vcpu    |
        | an aio ring   |

    @driver_pages.interface-uffd.asynchronous @since:6.12
    Scenario Outline: <interface> can be registered in asynchronous write-protect mode
      Given A maps <interface>
      When A tries to register page 0 with userfaultfd in asynchronous write-protect mode
      Then it succeeds

      Examples:
        | interface     |
        | a KVM vcpu    |
        | secret memory |
