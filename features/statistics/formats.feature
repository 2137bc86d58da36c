# SPDX-License-Identifier: MIT
Feature: The lines that programs parse

  @statistics.fields
  Rule: The lines of smaps MUST have these names in this order; what is a size MUST be in kB

    @statistics.fields.smaps-6-1 @until:6.1
    Scenario: smaps of 6.1 has 21 of them
      Given A has 1 page of private anonymous memory
      Then the lines of smaps of A are Size, Rss, Pss, Pss_Dirty, Shared_Clean, Shared_Dirty, Private_Clean, Private_Dirty, Referenced, Anonymous, LazyFree, AnonHugePages, ShmemPmdMapped, FilePmdMapped, Shared_Hugetlb, Private_Hugetlb, Swap, SwapPss, Locked and THPeligible

    @statistics.fields.smaps @since:6.12
    Scenario: Since 6.12 there is a line KSM
      Given A has 1 page of private anonymous memory
      Then the lines of smaps of A are Size, Rss, Pss, Pss_Dirty, Shared_Clean, Shared_Dirty, Private_Clean, Private_Dirty, Referenced, Anonymous, KSM, LazyFree, AnonHugePages, ShmemPmdMapped, FilePmdMapped, Shared_Hugetlb, Private_Hugetlb, Swap, SwapPss, Locked and THPeligible

    @statistics.fields.no-pss-kinds
    Scenario: The values are those of the page, 4 kB where one page is there
      Given A has 1 page of private anonymous memory
      Then smaps of A shows 4 kB Size
      And smaps of A shows 4 kB Rss
      And smaps of A shows 4 kB Pss_Dirty

  @statistics.rollup-fields
  Rule: The lines of smaps_rollup MUST have these names in this order, with Pss_Anon, Pss_File and Pss_Shmem that smaps does not have

    @statistics.rollup-fields.rollup-6-1 @until:6.1
    Scenario: smaps_rollup of 6.1
      Given A has 1 page of private anonymous memory
      Then the lines of smaps_rollup of A are Rss, Pss, Pss_Dirty, Pss_Anon, Pss_File, Pss_Shmem, Shared_Clean, Shared_Dirty, Private_Clean, Private_Dirty, Referenced, Anonymous, LazyFree, AnonHugePages, ShmemPmdMapped, FilePmdMapped, Shared_Hugetlb, Private_Hugetlb, Swap, SwapPss and Locked

    @statistics.rollup-fields.rollup @since:6.12
    Scenario: Since 6.12 there is a line KSM here too
      Given A has 1 page of private anonymous memory
      Then the lines of smaps_rollup of A are Rss, Pss, Pss_Dirty, Pss_Anon, Pss_File, Pss_Shmem, Shared_Clean, Shared_Dirty, Private_Clean, Private_Dirty, Referenced, Anonymous, KSM, LazyFree, AnonHugePages, ShmemPmdMapped, FilePmdMapped, Shared_Hugetlb, Private_Hugetlb, Swap, SwapPss and Locked

  @statistics.rollup
  Rule: smaps_rollup MUST round once for the whole process, so its Pss MAY be more than the lines of smaps add up to and MUST NOT be less

    @statistics.rollup.thirds
    Scenario: Four VMAs with a third of a page each: at least 1 kB more
      Given A has 1 page of private anonymous memory as a
      And A has 1 page of private anonymous memory as b
      And A has 1 page of private anonymous memory as c
      And A has 1 page of private anonymous memory as d
      And A forks B
      When A forks C
      Then smaps_rollup of A shows at least 1 kB more Pss than its smaps adds up to
      And smaps_rollup of A shows at least 1 kB more Pss_Dirty than its smaps adds up to

    @statistics.rollup.whole
    Scenario Outline: <field> is the same in both
      Given A has 4 pages of private anonymous memory
      And A forks B
      When A writes "new" to page 0
      Then smaps_rollup of A shows 0 kB more <field> than its smaps adds up to

      Examples: What is never divided
        | field         |
        | Rss           |
        | Shared_Clean  |
        | Shared_Dirty  |
        | Private_Clean |
        | Private_Dirty |
        | Referenced    |
        | Anonymous     |
        | Swap          |

  @statistics.pss-kinds
  Rule: Pss_Anon, Pss_File and Pss_Shmem of smaps_rollup MUST divide Pss by the kind of the page

    @statistics.pss-kinds.sum
    Scenario: The three add up to Pss, but for rounding
      Given file f has 4 pages on memfd
      And A has 4 pages of private anonymous memory as own
      And A maps file f shared
      And A reads every page
      When A forks B
      Then smaps_rollup of A divides Pss by kind

    @statistics.pss-kinds.shmem
    Scenario: Pages of shmem are in Pss_Shmem
      Given file f has 16 pages on memfd
      And A maps file f shared
      And A notes its smaps_rollup
      When A reads every page
      Then smaps_rollup of A shows 64 kB more Pss_Shmem than noted
      And smaps_rollup of A shows at least 64 kB more Rss than noted

    @statistics.pss-kinds.driver
    Scenario: A driver's pages are in Pss_File
      Given a driver has 16 pages of RAM
      And A starts
      And A notes its smaps_rollup
      When A maps the driver's memory shared with vm_insert_page
      Then smaps_rollup of A shows at least 64 kB more Pss_File than noted
