# SPDX-License-Identifier: MIT
"""The lab: real kernels, each booted in a virtual machine with the executor and our kernel module inside.

`kernels.toml` says which kernels there are; `registry` reads it.  `prepare` makes one ready: `apt` and `tools` fetch
Debian packages without installing any, `packaged` takes a kernel from them, `source` and `own` build one, `module`
compiles our module for it.  `machine` says what is booted (`initramfs`, `disks`, `kvm`, init.c), `guest` is the process
that boots it and stays its parent, and `implementation` is what scenarios run on.  `boot` boots one with
anybody's program instead.  `places` says where all that is kept.
"""
