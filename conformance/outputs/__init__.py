# SPDX-License-Identifier: MIT
"""Ways to show a report.  Each module has pure functions of it."""
