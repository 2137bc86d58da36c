# SPDX-License-Identifier: MIT
"""The running kernel as an implementation.

A small C program, the executor, does primitive things in real processes (executor.c is its hub, process.c the rest);
everything that means something is here.  `implementation` turns requests into primitives and `machine` carries them;
`lookup`, `kernel`, `entries` and `counters` read what /proc and /sys say; `files` and `ksm` do what takes several
steps; `probe` finds out what is allowed; `settings` and `hugepages` change system settings and put them back.
"""
