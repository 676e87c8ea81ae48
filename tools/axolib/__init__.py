# SPDX-License-Identifier: BSD-2-Clause
"""What ./axo is made of. Python's standard library only."""
