# SPDX-License-Identifier: MIT
Feature: Reuse or copy of a private anonymous page

  @cow.isolation
  Rule: After fork, a write by one process MUST NOT be seen by the other

    @cow.isolation.child-writes
    Scenario Outline: The parent keeps its content when the child writes
      Given A has <page>
      And A forks B
      When B writes "new" to page 0
      Then B reads "new" in page 0
      And A reads "old" in page 0

      Examples:
        | page                                     |
        | a base page                              |
        | a base page, swapped out                 |
        | an order-4 folio                         |
        | an order-9 folio mapped by a PMD         |
        | an order-9 folio mapped by PTEs          |
        | an order-9 folio with one page mapped    |
        | an order-9 folio half moved by mremap    |
        | an order-9 folio partly shared before    |
        | a hugetlb page                           |

  @cow.last-user
  Rule: A process that is the last user of a small anonymous page MUST be allowed to write it in place

    @cow.last-user.child-exits
    Scenario: The parent reuses the page after the child has exited
      Given A has 1 page of private anonymous memory
      And A forks B
      And B exits
      When A writes "new" to page 0
      Then page 0 of A was reused
