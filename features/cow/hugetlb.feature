# SPDX-License-Identifier: MIT
Feature: Reuse or copy of a private hugetlb page

  @cow.hugetlb-reuse
  Rule: A write to a private hugetlb page MUST reuse it if it is anonymous and one entry maps it, whatever references it has

    @cow.hugetlb-reuse.child-exits
    Scenario: The parent writes the page in place after the child has exited
      Given A has a hugetlb page
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then every page of A was reused

    @cow.hugetlb-reuse.parent-exits
    Scenario: The child writes the page in place after the parent has exited
      Given A has a hugetlb page
      And A forks B
      And A exits
      When B writes "new" to page 0
      Then every page of B was reused

    @cow.hugetlb-reuse.own-pipe
    Scenario: A reference that the writer itself has spliced into a pipe does not matter
      Given A has a hugetlb page
      And A forks B
      And A vmsplices page 0 into pipe p
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was reused

    @cow.hugetlb-reuse.child-pipe
    Scenario: A reference that an exited child has spliced into a pipe does not matter
      Given A has a hugetlb page
      And A forks B
      And B vmsplices page 0 into pipe p
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was reused

  @cow.hugetlb-copy
  Rule: A write to a private hugetlb page that two entries map, or that is a file's, MUST copy all of it, if the pool has a page left

    @cow.hugetlb-copy.child-writes
    Scenario: The child gets a hugetlb page of its own and the parent keeps the old one
      Given A has a hugetlb page
      And A forks B
      When B writes "new" to page 0
      Then every page of B was copied
      And every page of A is where it was
      And B has a hugetlb entry for every page
      And B reads "old" in page 1

    @cow.hugetlb-copy.parent-writes
    Scenario: The parent gets a hugetlb page of its own and the child keeps the old one
      Given A has a hugetlb page
      And A forks B
      When A writes "new" to page 0
      Then every page of A was copied
      And every page of B is where it was
      And B reads "old" in every page

    @cow.hugetlb-copy.second
    Scenario: Once the child has its copy the parent writes in place
      Given A has a hugetlb page
      And A forks B
      And B writes "b" to page 0
      When A writes "a" to page 0
      Then every page of A was reused

    @cow.hugetlb-copy.file
    Scenario: A hugetlb page of a file is copied although one entry maps it
      Given A maps a hugetlb memfd privately and reads it
      Then A has a hugetlb entry for every page
      When A writes "new" to page 0
      Then every page of A was copied
      And A reads "old" in page 1

  @cow.hugetlb-leak
  Rule: Whoever holds a hugetlb page by FOLL_GET MAY see what the last process that maps it writes later

    @cow.hugetlb-leak.child-splices
    Scenario: A child splices, unmaps, and may see what the parent writes
      Given A has a hugetlb page
      And A forks B
      And B vmsplices pages 0 to 15 into pipe p
      And B unmaps every page
      When A writes "new" to every page
      Then pipe p holds "old" or "new"

    @cow.hugetlb-leak.child-splices-mprotect
    Scenario: A child splices, unmaps, and may see what the parent writes after an mprotect round trip
      Given A has a hugetlb page
      And A forks B
      And B vmsplices pages 0 to 15 into pipe p
      And B unmaps every page
      And A makes every page read-only
      And A makes every page read-write
      When A writes "new" to every page
      Then pipe p holds "old" or "new"

    @cow.hugetlb-leak.spliced-before-fork
    Scenario: A parent splices, forks, unmaps, and may see what the child writes
      Given A has a hugetlb page
      And A vmsplices pages 0 to 15 into pipe p
      And A forks B
      And A unmaps every page
      When B writes "new" to every page
      Then pipe p holds "old" or "new"

    @cow.hugetlb-leak.spliced-after-fork
    Scenario: A parent forks, splices, unmaps, and may see what the child writes
      Given A has a hugetlb page
      And A forks B
      And A vmsplices pages 0 to 15 into pipe p
      And A unmaps every page
      When B writes "new" to every page
      Then pipe p holds "old" or "new"

    @cow.hugetlb-leak.shared
    Scenario: While both map the page nothing leaks, for the write copies
      Given A has a hugetlb page
      And A forks B
      And B vmsplices pages 0 to 15 into pipe p
      When A writes "new" to every page
      Then pipe p holds "old"
