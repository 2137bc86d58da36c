# SPDX-License-Identifier: MIT
Feature: Private mappings of page frame numbers

  @pfnmap.private-write
  Rule: The first write to a raw entry of a private mapping MUST copy it into an anonymous page, and MUST NOT reach the device

    @pfnmap.private-write.copies
    Scenario: The page is copied, the driver's memory keeps its contents
      Given a driver has 2 pages of RAM
      And the driver writes "old" to its every page
      And A maps the driver's memory privately with remap_pfn_range
      When A writes "new" to page 0
      Then A reads "new" in page 0
      And A reads "old" in page 1
      And the driver reads "old" in its page 0

    @pfnmap.private-write.counts
    Scenario: The copy counts as anonymous memory
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      When A writes "new" to page 0
      Then A counts 1 page in RssAnon, 0 in RssFile and 0 in RssShmem
      And A has a PTE for page 0
      And every page of the driver has 1 reference and no mapping

    @pfnmap.private-write.follows
    Scenario: A page that was not written follows the device
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      When the driver writes "new" to its page 1
      Then A reads "new" in page 1

  @pfnmap.private-smaps
  Rule: smaps MUST count the copied pages of a private VM_PFNMAP mapping since 6.12, and nothing of it in 6.1

    @pfnmap.private-smaps.counted @since:6.12
    Scenario: The copy is in Rss and in Anonymous
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      When A writes "new" to page 0
      Then smaps of A shows 4 kB Rss
      And smaps of A shows 4 kB Anonymous

    @pfnmap.private-smaps.skipped @until:6.1
    Scenario: In 6.1 the copy is in RssAnon of the process and in no field of smaps
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      When A writes "new" to page 0
      Then smaps of A shows 0 kB Rss
      And A counts 1 page in RssAnon, 0 in RssFile and 0 in RssShmem

  @pfnmap.private-hidden
  Rule: The copied page of a private VM_PFNMAP mapping MUST NOT be shown by pagemap, nor be given to who looks at the VMA

    @pfnmap.private-hidden.pagemap
    Scenario: pagemap shows nothing, although the page is anonymous
      Given a driver has 1 page of RAM
      And A maps the driver's memory privately with remap_pfn_range
      When A writes "new" to page 0
      Then pagemap shows nothing for page 0 of A

    @pfnmap.private-hidden.gup
    Scenario: process_vm_readv is refused
      Given a driver has 1 page of RAM
      And A maps the driver's memory privately with remap_pfn_range
      And A writes "new" to page 0
      When A tries to read page 0 with process_vm_readv
      Then it fails with EFAULT

  @pfnmap.private-fork
  Rule: fork MUST share the copied pages of a private VM_PFNMAP mapping like any anonymous page, and copy its raw entries

    @pfnmap.private-fork.both
    Scenario: The child has both kinds of entries
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      And A writes "new" to page 1
      When A forks B
      Then B has a PTE for page 1
      And B has a raw PTE for page 0
      And B counts 1 page in RssAnon, 0 in RssFile and 0 in RssShmem

    @pfnmap.private-fork.isolated
    Scenario: What the child writes, the parent does not see
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      And A writes "new" to page 1
      And A forks B
      When B writes "child" to every page
      Then A reads "new" in page 1
      And the driver reads "" in its every page

  @pfnmap.private-fork-first @pte_special:1
  Rule: fork MUST fail up to 6.12, on x86, where the first page of a private remapped VMA has been copied, and MUST NOT since 6.18

    @pfnmap.private-fork-first.refused @until:6.12
    Scenario: After a store to page 0 the process cannot fork any more
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      And A writes "new" to page 0
      When A tries to fork B
      Then it fails with ENOMEM

    @pfnmap.private-fork-first.works @since:6.18
    Scenario: Since 6.18 it forks
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with remap_pfn_range
      And A writes "new" to page 0
      When A tries to fork B
      Then it succeeds

  @pfnmap.private-discard
  Rule: MADV_DONTNEED MUST refuse a private VM_PFNMAP mapping, so that a copied page stays

    @pfnmap.private-discard.refused
    Scenario: The advice fails and the copy keeps its contents
      Given a driver has 1 page of RAM
      And A maps the driver's memory privately with remap_pfn_range
      And A writes "new" to page 0
      When A tries MADV_DONTNEED on page 0
      Then it fails with EINVAL
      And A reads "new" in page 0
