# SPDX-License-Identifier: MIT
Feature: What each function does, as one table

  @driver_pages.table-flags
  Rule: Of VM_PFNMAP and VM_MIXEDMAP, a VMA MUST have after mmap what the function that maps needs, and neither for a fault handler that returns a page

    @driver_pages.table-flags.row
    Scenario Outline: A driver maps <mapping> and the VMA has <flags>
      Given a driver maps for A <mapping>
      Then A has <flags>

      Examples:
        | mapping                                                 | flags                                           |
        | 4 pages of RAM with vm_insert_page                      | VM_MIXEDMAP                                     |
        | 4 pages of RAM with vm_map_pages                        | VM_MIXEDMAP                                     |
        | 4 pages of RAM with a fault handler                     | none of VM_PFNMAP and VM_MIXEDMAP               |
        | 4 pages of RAM with vmf_insert_page                     | VM_MIXEDMAP                                     |
        | 4 pages of RAM with remap_pfn_range                     | VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP |
        | 4 pages of RAM with vmf_insert_pfn                      | VM_PFNMAP                                       |
        | an order-2 folio with vm_insert_page                    | VM_MIXEDMAP                                     |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | VM_MIXEDMAP, VM_DONTEXPAND and VM_DONTDUMP      |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP |
        | 4 pages of page cache with vm_insert_page               | VM_MIXEDMAP                                     |
        | 4 pages of device memory with vm_iomap_memory           | VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP |
        | 4 pages of device memory with vmf_insert_pfn            | VM_PFNMAP                                       |
        | 4 pages of device memory with vmf_insert_mixed          | VM_MIXEDMAP                                     |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | flags       |
        | 4 pages of RAM with vmf_insert_mixed | VM_MIXEDMAP |

      @since:6.12 @config:pmd_pfnmap @needs:thp
      Examples: Huge raw entries
        | mapping                                            | flags     |
        | 512 pages of device memory with vmf_insert_pfn_pmd | VM_PFNMAP |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | flags                             |
        | 4 pages of RAM with vmf_insert_page_mkwrite | none of VM_PFNMAP and VM_MIXEDMAP |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | flags                             |
        | an order-9 folio with vmf_insert_folio_pmd | none of VM_PFNMAP and VM_MIXEDMAP |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | flags                                           |
        | 4 pages of RAM with mmap_action_map_kernel_pages | VM_MIXEDMAP                                     |
        | 4 pages of RAM with mmap_action_remap            | VM_IO, VM_PFNMAP, VM_DONTEXPAND and VM_DONTDUMP |

  @driver_pages.table-references
  Rule: A driver's page MUST have one reference more for each entry that maps it as a page, and none more for an entry that is a raw PFN
    The driver holds one reference of its own to each page, or to the folio.

    @driver_pages.table-references.row
    Scenario Outline: A driver maps <mapping> and page 0 has <references>
      Given a driver maps for A <mapping>
      When A reads every page
      Then page 0 of the driver has <references>

      Examples:
        | mapping                                                 | references   |
        | 4 pages of RAM with vm_insert_page                      | 2 references |
        | 4 pages of RAM with vm_map_pages                        | 2 references |
        | 4 pages of RAM with a fault handler                     | 2 references |
        | 4 pages of RAM with vmf_insert_page                     | 2 references |
        | 4 pages of RAM with remap_pfn_range                     | 1 reference  |
        | 4 pages of RAM with vmf_insert_pfn                      | 1 reference  |
        | an order-2 folio with vm_insert_page                    | 5 references |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | 2 references |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | 1 reference  |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | references  |
        | 4 pages of RAM with vmf_insert_mixed | 1 reference |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | references   |
        | 4 pages of RAM with vmf_insert_page_mkwrite | 2 references |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | references   |
        | an order-9 folio with vmf_insert_folio_pmd | 2 references |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | references   |
        | 4 pages of RAM with mmap_action_map_kernel_pages | 2 references |
        | 4 pages of RAM with mmap_action_remap            | 1 reference  |

  @driver_pages.table-mapcount
  Rule: A driver's page MUST count each entry that maps it as a page in its mapcount, and no entry that is a raw PFN

    @driver_pages.table-mapcount.row
    Scenario Outline: A driver maps <mapping> and page 0 has <mapcount>
      Given a driver maps for A <mapping>
      When A reads every page
      Then page 0 of the driver has <mapcount>

      Examples:
        | mapping                                                 | mapcount   |
        | 4 pages of RAM with vm_insert_page                      | mapcount 1 |
        | 4 pages of RAM with vm_map_pages                        | mapcount 1 |
        | 4 pages of RAM with a fault handler                     | mapcount 1 |
        | 4 pages of RAM with vmf_insert_page                     | mapcount 1 |
        | 4 pages of RAM with remap_pfn_range                     | mapcount 0 |
        | 4 pages of RAM with vmf_insert_pfn                      | mapcount 0 |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | mapcount 1 |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | mapcount 0 |
        | 4 pages of page cache with vm_insert_page               | mapcount 1 |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | mapcount   |
        | 4 pages of RAM with vmf_insert_mixed | mapcount 0 |

      @config:page_mapcount
      Examples: Pages of a folio, where the kernel counts them one by one
        | mapping                              | mapcount   |
        | an order-2 folio with vm_insert_page | mapcount 1 |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | mapcount   |
        | 4 pages of RAM with vmf_insert_page_mkwrite | mapcount 1 |

      @since:6.18 @needs:thp @config:page_mapcount
      Examples: Huge folios, where the kernel counts their pages one by one
        | mapping                                    | mapcount   |
        | an order-9 folio with vmf_insert_folio_pmd | mapcount 1 |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | mapcount   |
        | 4 pages of RAM with mmap_action_map_kernel_pages | mapcount 1 |
        | 4 pages of RAM with mmap_action_remap            | mapcount 0 |

  @driver_pages.table-rss
  Rule: A driver mapping MUST count in RssFile, or in RssShmem for pages of shmem, what its entries map as pages, and raw PFNs in no RSS

    @driver_pages.table-rss.row
    Scenario Outline: A driver maps <mapping> and A counts <rss>
      Given a driver maps for A <mapping>
      When A reads every page
      Then A counts <rss>

      Examples:
        | mapping                                                 | rss                    |
        | 4 pages of RAM with vm_insert_page                      | every page in RssFile  |
        | 4 pages of RAM with vm_map_pages                        | every page in RssFile  |
        | 4 pages of RAM with a fault handler                     | every page in RssFile  |
        | 4 pages of RAM with vmf_insert_page                     | every page in RssFile  |
        | 4 pages of RAM with remap_pfn_range                     | in no RSS              |
        | 4 pages of RAM with vmf_insert_pfn                      | in no RSS              |
        | an order-2 folio with vm_insert_page                    | every page in RssFile  |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | every page in RssFile  |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | in no RSS              |
        | 4 pages of page cache with vm_insert_page               | every page in RssShmem |
        | 4 pages of device memory with vm_iomap_memory           | in no RSS              |
        | 4 pages of device memory with vmf_insert_pfn            | in no RSS              |
        | 4 pages of device memory with vmf_insert_mixed          | in no RSS              |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | rss       |
        | 4 pages of RAM with vmf_insert_mixed | in no RSS |

      @since:6.12 @config:pmd_pfnmap @needs:thp
      Examples: Huge raw entries
        | mapping                                            | rss       |
        | 512 pages of device memory with vmf_insert_pfn_pmd | in no RSS |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | rss                   |
        | 4 pages of RAM with vmf_insert_page_mkwrite | every page in RssFile |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | rss                   |
        | an order-9 folio with vmf_insert_folio_pmd | every page in RssFile |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | rss                   |
        | 4 pages of RAM with mmap_action_map_kernel_pages | every page in RssFile |
        | 4 pages of RAM with mmap_action_remap            | in no RSS             |

  @driver_pages.table-pss
  Rule: smaps MUST give a driver's page that is mapped once its whole size in Pss, and a raw PFN nothing

    @driver_pages.table-pss.row
    Scenario Outline: A driver maps <mapping> and smaps shows <pss> Pss
      Given a driver maps for A <mapping>
      When A reads every page
      Then smaps of A shows <pss> Pss

      Examples:
        | mapping                                                 | pss   |
        | 4 pages of RAM with vm_insert_page                      | 16 kB |
        | 4 pages of RAM with vm_map_pages                        | 16 kB |
        | 4 pages of RAM with a fault handler                     | 16 kB |
        | 4 pages of RAM with vmf_insert_page                     | 16 kB |
        | 4 pages of RAM with remap_pfn_range                     | 0 kB  |
        | 4 pages of RAM with vmf_insert_pfn                      | 0 kB  |
        | an order-2 folio with vm_insert_page                    | 16 kB |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | 16 kB |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | 0 kB  |
        | 4 pages of page cache with vm_insert_page               | 16 kB |
        | 4 pages of device memory with vm_iomap_memory           | 0 kB  |
        | 4 pages of device memory with vmf_insert_pfn            | 0 kB  |
        | 4 pages of device memory with vmf_insert_mixed          | 0 kB  |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | pss  |
        | 4 pages of RAM with vmf_insert_mixed | 0 kB |

      @since:6.12 @config:pmd_pfnmap @needs:thp
      Examples: Huge raw entries
        | mapping                                            | pss  |
        | 512 pages of device memory with vmf_insert_pfn_pmd | 0 kB |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | pss   |
        | 4 pages of RAM with vmf_insert_page_mkwrite | 16 kB |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | pss     |
        | an order-9 folio with vmf_insert_folio_pmd | 2048 kB |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | pss   |
        | 4 pages of RAM with mmap_action_map_kernel_pages | 16 kB |
        | 4 pages of RAM with mmap_action_remap            | 0 kB  |

  @driver_pages.table-gup
  Rule: get_user_pages MUST give what is mapped as a page, and fail for a raw PFN: with EFAULT under VM_PFNMAP or VM_IO, with EEXIST elsewhere
    vmsplice(2) asks with FOLL_GET, for reading.

    @driver_pages.table-gup.row
    Scenario Outline: A driver maps <mapping> and vmsplice <gup>
      Given a driver maps for A <mapping>
      And A reads every page
      When A tries to vmsplice page 0
      Then it <gup>

      Examples:
        | mapping                                                 | gup               |
        | 4 pages of RAM with vm_insert_page                      | succeeds          |
        | 4 pages of RAM with vm_map_pages                        | succeeds          |
        | 4 pages of RAM with a fault handler                     | succeeds          |
        | 4 pages of RAM with vmf_insert_page                     | succeeds          |
        | 4 pages of RAM with remap_pfn_range                     | fails with EFAULT |
        | 4 pages of RAM with vmf_insert_pfn                      | fails with EFAULT |
        | an order-2 folio with vm_insert_page                    | succeeds          |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | succeeds          |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | fails with EFAULT |
        | 4 pages of page cache with vm_insert_page               | succeeds          |
        | 4 pages of device memory with vm_iomap_memory           | fails with EFAULT |
        | 4 pages of device memory with vmf_insert_pfn            | fails with EFAULT |
        | 4 pages of device memory with vmf_insert_mixed          | fails with EEXIST |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | gup               |
        | 4 pages of RAM with vmf_insert_mixed | fails with EEXIST |

      @since:6.12 @config:pmd_pfnmap @needs:thp
      Examples: Huge raw entries
        | mapping                                            | gup               |
        | 512 pages of device memory with vmf_insert_pfn_pmd | fails with EFAULT |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | gup      |
        | 4 pages of RAM with vmf_insert_page_mkwrite | succeeds |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | gup      |
        | an order-9 folio with vmf_insert_folio_pmd | succeeds |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | gup               |
        | 4 pages of RAM with mmap_action_map_kernel_pages | succeeds          |
        | 4 pages of RAM with mmap_action_remap            | fails with EFAULT |

  @driver_pages.table-pin
  Rule: A long-term pin for writing, as RDMA takes it, MUST be given for what get_user_pages gives for reading, and MUST be refused with the same error elsewhere
    An io_uring fixed buffer is pinned with FOLL_LONGTERM and FOLL_WRITE. Up to 6.1 io_uring itself refuses files but shmem and hugetlb.

    @driver_pages.table-pin.row @since:6.12
    Scenario Outline: A driver maps <mapping> and a fixed buffer <pin>
      Given a driver maps for A <mapping>
      And A reads every page
      When A tries to register page 0 as io_uring buffer b
      Then it <pin>

      Examples:
        | mapping                                                 | pin               |
        | 4 pages of RAM with vm_insert_page                      | succeeds          |
        | 4 pages of RAM with vm_map_pages                        | succeeds          |
        | 4 pages of RAM with a fault handler                     | succeeds          |
        | 4 pages of RAM with vmf_insert_page                     | succeeds          |
        | 4 pages of RAM with remap_pfn_range                     | fails with EFAULT |
        | 4 pages of RAM with vmf_insert_pfn                      | fails with EFAULT |
        | an order-2 folio with vm_insert_page                    | succeeds          |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | succeeds          |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | fails with EFAULT |
        | 4 pages of page cache with vm_insert_page               | succeeds          |
        | 4 pages of device memory with vm_iomap_memory           | fails with EFAULT |
        | 4 pages of device memory with vmf_insert_pfn            | fails with EFAULT |
        | 4 pages of device memory with vmf_insert_mixed          | fails with EEXIST |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | pin               |
        | 4 pages of RAM with vmf_insert_mixed | fails with EEXIST |

      @since:6.12 @config:pmd_pfnmap @needs:thp
      Examples: Huge raw entries
        | mapping                                            | pin               |
        | 512 pages of device memory with vmf_insert_pfn_pmd | fails with EFAULT |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | pin      |
        | 4 pages of RAM with vmf_insert_page_mkwrite | succeeds |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | pin      |
        | an order-9 folio with vmf_insert_folio_pmd | succeeds |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | pin               |
        | 4 pages of RAM with mmap_action_map_kernel_pages | succeeds          |
        | 4 pages of RAM with mmap_action_remap            | fails with EFAULT |

    @driver_pages.table-pin.file @until:6.1
    Scenario: io_uring of 6.1 takes no memory of a driver, although it could be pinned
      Given a driver maps for A 4 pages of RAM with vm_insert_page
      And A reads page 0 with process_vm_readv
      When A tries to register page 0 as io_uring buffer b
      Then it fails with EOPNOTSUPP

  @driver_pages.table-private
  Rule: A write to a private mapping of a driver's memory MUST go to an anonymous page, except that vmf_insert_pfn MUST NOT be used there

    @driver_pages.table-private.row
    Scenario Outline: A driver maps <mapping> privately and a write makes <private>
      Given a driver maps privately for A <mapping>
      When A writes "new" to page 0
      Then A counts <private>

      Examples:
        | mapping                                                 | private           |
        | 4 pages of RAM with vm_insert_page                      | 1 page in RssAnon |
        | 4 pages of RAM with vm_map_pages                        | 1 page in RssAnon |
        | 4 pages of RAM with a fault handler                     | 1 page in RssAnon |
        | 4 pages of RAM with vmf_insert_page                     | 1 page in RssAnon |
        | 4 pages of RAM with remap_pfn_range                     | 1 page in RssAnon |
        | an order-2 folio with vm_insert_page                    | 1 page in RssAnon |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | 1 page in RssAnon |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | 1 page in RssAnon |
        | 4 pages of page cache with vm_insert_page               | 1 page in RssAnon |
        | 4 pages of device memory with vm_iomap_memory           | 1 page in RssAnon |
        | 4 pages of device memory with vmf_insert_mixed          | 1 page in RssAnon |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | private           |
        | 4 pages of RAM with vmf_insert_mixed | 1 page in RssAnon |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | private           |
        | 4 pages of RAM with mmap_action_map_kernel_pages | 1 page in RssAnon |
        | 4 pages of RAM with mmap_action_remap            | 1 page in RssAnon |

    @driver_pages.table-private.bug @needs:driver-bugs
    Scenario Outline: A driver that maps <mapping> must refuse private mappings: the first fault is <private>
      Given a driver maps privately for A <mapping>
      When the driver calls vmf_insert_pfn for page 0 of A with its page 0
      Then the call is <private>

      Examples:
        | mapping                                      | private |
        | 4 pages of RAM with vmf_insert_pfn           | a BUG   |
        | 4 pages of device memory with vmf_insert_pfn | a BUG   |

  @driver_pages.table-fork
  Rule: fork MUST copy the entries of a VM_PFNMAP or VM_MIXEDMAP mapping into the child, and MUST leave the child to fault where a shared mapping has neither flag

    @driver_pages.table-fork.row
    Scenario Outline: A driver maps <mapping> and a child has <fork>
      Given a driver maps for A <mapping>
      And A reads every page
      When A forks B
      Then B has <fork> for page 0

      Examples:
        | mapping                                                 | fork      |
        | 4 pages of RAM with vm_insert_page                      | a PTE     |
        | 4 pages of RAM with vm_map_pages                        | a PTE     |
        | 4 pages of RAM with a fault handler                     | nothing   |
        | 4 pages of RAM with vmf_insert_page                     | a PTE     |
        | 4 pages of RAM with remap_pfn_range                     | a raw PTE |
        | 4 pages of RAM with vmf_insert_pfn                      | a raw PTE |
        | an order-2 folio with vm_insert_page                    | a PTE     |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | a PTE     |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | a raw PTE |
        | 4 pages of page cache with vm_insert_page               | a PTE     |
        | 4 pages of device memory with vm_iomap_memory           | a raw PTE |
        | 4 pages of device memory with vmf_insert_pfn            | a raw PTE |
        | 4 pages of device memory with vmf_insert_mixed          | a raw PTE |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | fork      |
        | 4 pages of RAM with vmf_insert_mixed | a raw PTE |

      @since:6.12 @config:pmd_pfnmap @needs:thp
      Examples: Huge raw entries
        | mapping                                            | fork      |
        | 512 pages of device memory with vmf_insert_pfn_pmd | a raw PMD |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | fork    |
        | 4 pages of RAM with vmf_insert_page_mkwrite | nothing |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | fork    |
        | an order-9 folio with vmf_insert_folio_pmd | nothing |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | fork      |
        | 4 pages of RAM with mmap_action_map_kernel_pages | a PTE     |
        | 4 pages of RAM with mmap_action_remap            | a raw PTE |

  @driver_pages.table-dontneed
  Rule: MADV_DONTNEED MUST fail for VM_PFNMAP, and elsewhere drop entries of a driver mapping, which only a fault handler brings back

    @driver_pages.table-dontneed.row
    Scenario Outline: A driver maps <mapping>, A calls MADV_DONTNEED, and <dontneed>
      Given a driver maps for A <mapping>
      And A writes "old" to every page
      When A tries MADV_DONTNEED on page 0
      Then <dontneed>

      Examples:
        | mapping                                                 | dontneed                     |
        | 4 pages of RAM with vm_insert_page                      | A cannot read page 0: SIGBUS |
        | 4 pages of RAM with vm_map_pages                        | A cannot read page 0: SIGBUS |
        | 4 pages of RAM with a fault handler                     | A reads "old" in page 0      |
        | 4 pages of RAM with vmf_insert_page                     | A reads "old" in page 0      |
        | 4 pages of RAM with remap_pfn_range                     | it fails with EINVAL         |
        | 4 pages of RAM with vmf_insert_pfn                      | it fails with EINVAL         |
        | an order-2 folio with vm_insert_page                    | A cannot read page 0: SIGBUS |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | A cannot read page 0: SIGBUS |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | it fails with EINVAL         |
        | 4 pages of page cache with vm_insert_page               | A cannot read page 0: SIGBUS |
        | 4 pages of device memory with vm_iomap_memory           | it fails with EINVAL         |
        | 4 pages of device memory with vmf_insert_pfn            | it fails with EINVAL         |
        | 4 pages of device memory with vmf_insert_mixed          | A has nothing for page 0     |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | dontneed                |
        | 4 pages of RAM with vmf_insert_mixed | A reads "old" in page 0 |

      @since:6.12 @config:pmd_pfnmap @needs:thp
      Examples: Huge raw entries
        | mapping                                            | dontneed             |
        | 512 pages of device memory with vmf_insert_pfn_pmd | it fails with EINVAL |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | dontneed                |
        | 4 pages of RAM with vmf_insert_page_mkwrite | A reads "old" in page 0 |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | dontneed                |
        | an order-9 folio with vmf_insert_folio_pmd | A reads "old" in page 0 |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | dontneed                     |
        | 4 pages of RAM with mmap_action_map_kernel_pages | A cannot read page 0: SIGBUS |
        | 4 pages of RAM with mmap_action_remap            | it fails with EINVAL         |

  @driver_pages.table-pagemap
  Rule: pagemap MUST show a driver's page that is mapped as a page as present and of a file, a raw PFN in VM_MIXEDMAP only as present, and nothing of VM_PFNMAP

    @driver_pages.table-pagemap.row
    Scenario Outline: A driver maps <mapping> and pagemap shows <pagemap>
      Given a driver maps for A <mapping>
      When A reads every page
      Then pagemap shows <pagemap> for page 0 of A

      Examples:
        | mapping                                                 | pagemap                     |
        | 4 pages of RAM with vm_insert_page                      | present, file and exclusive |
        | 4 pages of RAM with vm_map_pages                        | present, file and exclusive |
        | 4 pages of RAM with a fault handler                     | present, file and exclusive |
        | 4 pages of RAM with vmf_insert_page                     | present, file and exclusive |
        | 4 pages of RAM with remap_pfn_range                     | nothing                     |
        | 4 pages of RAM with vmf_insert_pfn                      | nothing                     |
        | an order-2 folio with vm_insert_page                    | present, file and exclusive |
        | 4 pages of vmalloc_user memory with remap_vmalloc_range | present, file and exclusive |
        | 4 pages of coherent DMA memory with dma_mmap_coherent   | nothing                     |
        | 4 pages of page cache with vm_insert_page               | present, file and exclusive |
        | 4 pages of device memory with vm_iomap_memory           | nothing                     |
        | 4 pages of device memory with vmf_insert_pfn            | nothing                     |
        | 4 pages of device memory with vmf_insert_mixed          | present                     |

      @pte_special:1
      Examples: Raw, where the architecture has pte_special
        | mapping                              | pagemap |
        | 4 pages of RAM with vmf_insert_mixed | present |

      @since:6.12 @config:pmd_pfnmap @needs:thp
      Examples: Huge raw entries
        | mapping                                            | pagemap |
        | 512 pages of device memory with vmf_insert_pfn_pmd | nothing |

      @since:6.18
      Examples: Functions that 6.18 has
        | mapping                                     | pagemap                     |
        | 4 pages of RAM with vmf_insert_page_mkwrite | present, file and exclusive |

      @since:6.18 @needs:thp
      Examples: Huge folios
        | mapping                                    | pagemap                     |
        | an order-9 folio with vmf_insert_folio_pmd | present, file and exclusive |

      @since:7.3
      Examples: Through mmap_prepare
        | mapping                                          | pagemap                     |
        | 4 pages of RAM with mmap_action_map_kernel_pages | present, file and exclusive |
        | 4 pages of RAM with mmap_action_remap            | nothing                     |
