# SPDX-License-Identifier: MIT
"""The running kernel as an implementation.

A small C program, the executor, does primitive things in real processes (executor.c is its hub, process.c the rest);
everything that means something is here.  `implementation` turns requests into primitives and `machine` carries them;
`lookup`, `kernel`, `entries`, `observe` and `counters` read what /proc and /sys say; `devices` and `interfaces` find
somebody who maps memory as a driver does, `devices` with our kernel module, `interfaces` with parts of the kernel;
`files` and `ksm` do what takes several steps; `probe` finds out what is allowed; `settings` and `hugepages` change
system settings and put them back.
"""
