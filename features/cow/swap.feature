# SPDX-License-Identifier: MIT
Feature: Reuse or copy of a page that comes back from swap

  @cow.swap-exclusive
  Rule: A page that was exclusive when it was swapped out MUST come back as its process's own

    @cow.swap-exclusive.read-write
    Scenario: Read back and then written, the page is reused
      Given A has a base page, swapped out
      And A reads page 0
      When A writes "new" to page 0
      Then page 0 of A was reused

    @cow.swap-exclusive.write
    Scenario: Written at once, the page comes back marked and writable
      Given A has a base page, swapped out
      When A writes "new" to page 0
      Then page 0 of A is marked exclusive
      And page 0 of A is mapped writable

    @cow.swap-exclusive.read-writable @since:6.12
    Scenario: A read brings the page back writable
      Given A has a base page, swapped out
      When A reads page 0
      Then page 0 of A is marked exclusive
      And page 0 of A is mapped writable

    @cow.swap-exclusive.read-only @until:6.1
    Scenario: A read brings the page back marked but read-only
      Given A has a base page, swapped out
      When A reads page 0
      Then page 0 of A is marked exclusive
      And page 0 of A is mapped read-only

    @cow.swap-exclusive.large
    Scenario Outline: The pages of a large folio are reused as well
      Given A has <page>
      And A reads every page
      When A writes "new" to every page
      Then every page of A was reused

      Examples:
        | page                                          |
        | an order-4 folio mapped by PTEs, swapped out  |
        | an order-9 folio mapped by a PMD, swapped out |
        | an order-9 folio mapped by PTEs, swapped out  |

  @cow.swap-shared
  Rule: An anonymous page that another process maps, or has a swap entry for, MUST be copied by a write

    @cow.swap-shared.both-read
    Scenario: Parent and child read back one page; the first to write copies, the second reuses
      Given A has a base page, swapped out
      And A forks B
      And A reads page 0
      And B reads page 0
      Then page 0 of A is the same memory as page 0 of B
      When B writes "b" to page 0
      Then page 0 of B was copied
      When A writes "a" to page 0
      Then page 0 of A was reused

    @cow.swap-shared.other-entry
    Scenario: The swap entry of a child that never touched the page makes the parent copy
      Given A has a base page, swapped out
      And A forks B
      And A reads page 0
      When A writes "new" to page 0
      Then page 0 of A was copied
      And B has a swap entry for page 0
      And B reads "old" in page 0

    @cow.swap-shared.exclusively
    Scenario: Mapcount 1 and bit 56 of pagemap do not tell of the other swap entry
      Given A has a base page, swapped out
      And A forks B
      When A reads page 0
      Then page 0 of A has mapcount 1
      And page 0 of A is mapped exclusively
      And page 0 of A is not marked exclusive

    @cow.swap-shared.write-at-once
    Scenario: A write that swaps the page in leaves the child its content
      Given A has a base page, swapped out
      And A forks B
      When A writes "new" to page 0
      Then B reads "old" in page 0
      And page 0 of A is marked exclusive

    @cow.swap-shared.entry-gone
    Scenario: When the child has exited with its swap entry the parent reuses the page
      Given A has a base page, swapped out
      And A forks B
      And B exits
      And A reads page 0
      When A writes "new" to page 0
      Then page 0 of A was reused

    @cow.swap-shared.shared-before @since:7.3
    Scenario: A page that had lost its marker before it was swapped out comes back without it
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      And page 0 of A is swapped out
      When A reads page 0
      Then page 0 of A is not marked exclusive
