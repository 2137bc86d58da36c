# SPDX-License-Identifier: MIT
"""Phrases that only the chapter on fork needs: none so far, the shared ones of `memory` and `cow` do."""
