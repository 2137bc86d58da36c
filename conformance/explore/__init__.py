# SPDX-License-Identifier: MIT
"""Random histories on the model and on an implementation: where do they part?

Scenarios ask what somebody thought of.  This asks for what nobody did: the same random operations for both, and
after each everything that can be asked.
"""
