# SPDX-License-Identifier: MIT
"""What mapspec costs, measured in one run: `make bench`, or `python -m tests.bench --help`.

Each measurement is a process of its own (see `child`), and those that are compared alternate, so that what else the
machine does falls on both.
"""
