# SPDX-License-Identifier: MIT
Feature: Writing a page that KSM has merged

  @cow.ksm
  Rule: A write to a KSM page MUST copy it, even for its last user

    @cow.ksm.shared
    Scenario: A write to one of two merged pages copies it
      Given A has 2 pages of private anonymous memory
      And A writes "twin1" to every page
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      When A writes "new" to page 0
      Then page 0 of A was copied
      And page 1 of A is where it was
      And A reads "twin1" in page 1
      And page 0 of A is no KSM page
      And page 1 of A is a KSM page

    @cow.ksm.last-user
    Scenario: The last user of a merged page copies it too, although mapcount and bit 56 say that it is alone
      Given A has 2 pages of private anonymous memory
      And A writes "twin2" to every page
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      When A writes "new" to page 0
      Then page 1 of A has mapcount 1
      And page 1 of A is mapped exclusively
      When A writes "new" to page 1
      Then page 1 of A was copied

    @cow.ksm.processes
    Scenario: Pages of two processes that KSM has merged are copied by a write of either
      Given A has 1 page of private anonymous memory
      And B has 1 page of private anonymous memory
      And A writes "twin3" to page 0
      And B writes "twin3" to page 0
      And A calls MADV_MERGEABLE on every page
      And B calls MADV_MERGEABLE on every page
      And KSM merges what it can
      Then page 0 of A is the same memory as page 0 of B
      When A writes "new" to page 0
      Then page 0 of A was copied
      And B reads "twin3" in page 0

    @cow.ksm.owned
    Scenario: The copy of a merged page belongs to its writer
      Given A has 2 pages of private anonymous memory
      And A writes "twin4" to every page
      And A calls MADV_MERGEABLE on every page
      And KSM merges what it can
      And A writes "new" to page 0
      When A writes "newer" to page 0
      Then page 0 of A was reused
