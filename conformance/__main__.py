# SPDX-License-Identifier: MIT
"""`python -m conformance` is `mapspec`."""

import sys

from conformance.cli import main

sys.exit(main())
