# SPDX-License-Identifier: MIT
Feature: Copy-on-write over two generations

  @cow.grandchild
  Rule: A page that a process shares with its grandchild only MUST be copied when either of them writes it

    @cow.grandchild.writes
    Scenario: The grandchild writes after its parent has exited
      Given A has 1 page of private anonymous memory
      And A forks B
      And B forks C
      And B exits
      When C writes "new" to page 0
      Then C reads "new" in page 0
      And A reads "old" in page 0
