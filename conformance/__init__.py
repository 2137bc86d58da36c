# SPDX-License-Identifier: MIT
"""Runs scenarios against anything that speaks the protocol, and reports what it saw."""
