# SPDX-License-Identifier: MIT
"""The words of the messages: names, numbers, and the closed sets."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

PROTOCOL = 1
"""Version of this protocol.  A new number means that old programs cannot follow."""

MAX_LINE = 1 << 20
"""Longest line in bytes, either way.  A longer answer is a flood."""

ProcessName = Annotated[
    str, Meta(pattern="^[A-Z][0-9]{0,3}$", description="A process: a capital letter, then digits or none.")
]
Name = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z0-9_]{0,31}$",
        description="A region, file, pipe or buffer. Regions belong to a process, the others to the scenario.",
    ),
]
PageIndex = Annotated[int, Meta(ge=0, le=1 << 40, description="A page of the region, counted from 0.")]
PageCount = Annotated[int, Meta(ge=1, le=1 << 40, description="A number of base pages.")]
Order = Annotated[int, Meta(ge=0, le=30, description="The order of a folio: it has 2 to the power of this many pages.")]
Token = Annotated[
    str,
    Meta(
        pattern="^[ -~]{0,7}$",
        description="What a page holds: up to 7 printable ASCII characters at its start. Empty is a page of zeros.",
    ),
]
Counter = Annotated[int, Meta(ge=-(1 << 62), le=1 << 62)]
Protection = Literal["none", "read", "read-write"]
Filesystem = Literal["disk", "tmpfs", "memfd", "hugetlb"]
Advice = Literal[
    "dontneed", "free", "cold", "pageout", "hugepage", "nohugepage", "collapse", "populate_read",
    "populate_write", "dontfork", "dofork", "wipeonfork", "keeponfork", "mergeable", "unmergeable",
    "dontdump", "dodump", "normal", "random", "sequential", "willneed", "remove", "guard_install",
    "guard_remove",
]  # fmt: skip
Errno = Literal[
    "E2BIG", "EACCES", "EAGAIN", "EBADF", "EBUSY", "EEXIST", "EFAULT", "EINTR", "EINVAL", "EIO", "EMLINK",
    "ENODEV", "ENOENT", "ENOMEM", "ENOSPC", "ENOSYS", "ENXIO", "EOPNOTSUPP", "EOVERFLOW", "EPERM",
    "EREMOTEIO", "ESRCH", "ETXTBSY",
]  # fmt: skip
Signal = Literal["SIGBUS", "SIGKILL", "SIGSEGV"]
DeviceMemory = Literal[
    "pages", "compound", "block", "vmalloc", "vmalloc_user", "slab", "large_kmalloc", "coherent", "reserved",
    "zero", "anonymous", "page_cache", "mmio",
]  # fmt: skip
DriverFunction = Literal[
    "remap_pfn_range", "io_remap_pfn_range", "vm_iomap_memory", "vm_insert_page", "vm_insert_pages", "vm_map_pages",
    "vm_map_pages_zero", "remap_vmalloc_range", "dma_mmap_coherent", "mmap_action_remap",
    "mmap_action_map_kernel_pages", "fault", "vmf_insert_page", "vmf_insert_page_mkwrite", "vmf_insert_pfn",
    "vmf_insert_pfn_prot", "vmf_insert_mixed", "vmf_insert_mixed_mkwrite", "vmf_insert_pfn_pmd",
    "vmf_insert_folio_pmd",
]  # fmt: skip
VmaFlag = Literal[
    "VM_READ", "VM_WRITE", "VM_SHARED", "VM_MAYREAD", "VM_MAYWRITE", "VM_MAYSHARE", "VM_PFNMAP", "VM_MIXEDMAP",
    "VM_IO", "VM_DONTEXPAND", "VM_DONTDUMP", "VM_DONTCOPY", "VM_LOCKED", "VM_WIPEONFORK", "VM_MERGEABLE",
    "VM_HUGEPAGE", "VM_NOHUGEPAGE", "VM_SEALED",
]  # fmt: skip
Interface = Literal[
    "packet_ring", "xdp_ring", "io_uring_ring", "perf_ring", "bpf_array", "bpf_ringbuf", "bpf_arena", "tracing_ring",
    "tcp_receive", "kvm_vcpu", "aio_ring", "secretmem", "vvar", "vdso", "pci_bar",
]  # fmt: skip
