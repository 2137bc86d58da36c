# SPDX-License-Identifier: MIT
Feature: Private mappings of inserted pages

  @mixedmap.private-write
  Rule: The first write to a page of a private mapping MUST copy it, and the driver's page MUST lose the mapping and the reference

    @mixedmap.private-write.counts
    Scenario: One page of RssFile becomes one of RssAnon
      Given a driver has 4 pages of RAM
      And A maps the driver's memory privately with vm_insert_page
      When A writes "new" to page 0
      Then A counts 1 page in RssAnon, 3 in RssFile and 0 in RssShmem
      And page 0 of the driver has 1 reference and no mapping
      And page 1 of the driver has 2 references
      And the driver reads "" in its page 0

    @mixedmap.private-write.raw @pte_special:1
    Scenario: A raw entry has nothing to lose
      Given a driver has 2 pages of RAM
      And A maps the driver's memory privately with vmf_insert_mixed
      And A reads page 0
      When A writes "new" to page 0
      Then A counts 1 page in RssAnon, 0 in RssFile and 0 in RssShmem
      And every page of the driver has 1 reference and no mapping

  @mixedmap.private-discard
  Rule: After MADV_DONTNEED of a copied page the driver's page MUST NOT come back without a fault handler

    @mixedmap.private-discard.sigbus
    Scenario: The access ends in SIGBUS
      Given a driver has 4 pages of RAM
      And A maps the driver's memory privately with vm_insert_page
      And A writes "new" to page 0
      When A calls MADV_DONTNEED on page 0
      Then A cannot read page 0: SIGBUS

    @mixedmap.private-discard.lazy
    Scenario: With a fault handler the driver's page is seen again
      Given a driver has 4 pages of RAM
      And the driver writes "old" to its page 0
      And A maps the driver's memory privately with vmf_insert_page
      And A writes "new" to page 0
      When A calls MADV_DONTNEED on page 0
      Then A reads "old" in page 0
