# SPDX-License-Identifier: MIT
Feature: Copy-on-write around MADV_COLLAPSE

  @cow.collapse @pmd_order:9
  Rule: MADV_COLLAPSE of anonymous pages mapped by PTEs MUST give its caller a new huge page and leave the old pages to the others

    @cow.collapse.before-fork
    Scenario: Memory that was collapsed before fork is shared and copied like any other
      Given A has an order-9 folio mapped by PTEs
      And A calls MADV_COLLAPSE on every page
      And A forks B
      And B reads every page
      When A writes "new" to every page
      Then B reads "old" in every page

    @cow.collapse.all-shared @since:6.18
    Scenario: A parent that collapses what it shares with its child leaves the child its content
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And B reads every page
      And A calls MADV_COLLAPSE on every page
      When A writes "new" to every page
      Then B reads "old" in every page

    @cow.collapse.lower-shared
    Scenario: A parent that collapses what it shares by the lower half leaves the child its content
      Given A has an order-9 folio mapped by PTEs
      And A calls MADV_DONTFORK on pages 256 to 511
      And A forks B
      And B reads pages 0 to 255
      And A calls MADV_DOFORK on pages 256 to 511
      And A calls MADV_COLLAPSE on every page
      When A writes "new" to every page
      Then B reads "old" in pages 0 to 255

    @cow.collapse.upper-shared
    Scenario: A parent that collapses what it shares by the upper half leaves the child its content
      Given A has an order-9 folio mapped by PTEs
      And A calls MADV_DONTFORK on pages 0 to 255
      And A forks B
      And B reads pages 256 to 511
      And A calls MADV_DOFORK on pages 0 to 255
      And A calls MADV_COLLAPSE on every page
      When A writes "new" to every page
      Then B reads "old" in pages 256 to 511

    @cow.collapse.new-folio
    Scenario: A folio that is mapped by PTEs is copied to a new one, never remapped in place
      Given A has an order-9 folio mapped by PTEs
      When A calls MADV_COLLAPSE on every page
      Then every page of A was copied
      And A has a PMD for every page
      And the folio of every page of A has order 9

    @cow.collapse.child-keeps @since:6.18
    Scenario: The child keeps the old folio
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      When A calls MADV_COLLAPSE on every page
      Then every page of A was copied
      And every page of B is where it was
      And every page of A is not the same memory as every page of B

    @cow.collapse.owned @since:6.18
    Scenario: The caller writes its new huge page in place
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And A calls MADV_COLLAPSE on every page
      When A writes "new" to every page
      Then every page of A was reused
      And A has a PMD for every page

    @cow.collapse.marked @since:6.18
    Scenario: The new huge page is marked exclusive
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      When A calls MADV_COLLAPSE on every page
      Then every page of A is marked exclusive
      And every page of B is not marked exclusive

    @cow.collapse.owner-left @since:6.18
    Scenario: A child that alone keeps the old folio reuses it by the rules for a last user
      Given A has an order-9 folio mapped by a PMD
      And A forks B
      And A is mapped by PTEs
      And A calls MADV_COLLAPSE on every page
      When B writes "new" to every page
      Then every page of B was reused
      And B has a PMD for every page

    @cow.collapse.nothing-writable @until:6.12
    Scenario: Memory that fork has left without a writable entry cannot be collapsed
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      When A tries MADV_COLLAPSE on every page
      Then it fails with EINVAL
      And every page of A is the same memory as every page of B

    @cow.collapse.one-written
    Scenario: Once the parent has written one page it can collapse what it still shares
      Given A has an order-9 folio mapped by PTEs
      And A forks B
      And A writes "a" to page 0
      When A calls MADV_COLLAPSE on every page
      Then every page of A was copied
      And every page of B is where it was
      And A reads "a" in page 0
      And A reads "old" in pages 1 to 511
      When A writes "new" to every page
      Then every page of A was reused
      And B reads "old" in every page
