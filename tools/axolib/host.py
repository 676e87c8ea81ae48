# SPDX-License-Identifier: BSD-2-Clause
"""Paths, and how a command of axo ends when its input is wrong."""

import os
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
BUILD = os.path.join(ROOT, 'build')

EXIT_WRONG_INPUT = 2
EXIT_GUEST_FAILED = 3


class UserError(Exception):
    """Wrong input: one clear line, and exit status 2."""


def say(text):
    """A line about what axo does, on standard error: standard output belongs to the guest."""
    print(f'axo: {text}', file=sys.stderr, flush=True)


def main(function):
    """Runs a command's function with the arguments and turns its outcome into an exit status."""
    try:
        sys.exit(function(sys.argv[1:]))
    except UserError as error:
        say(str(error))
        sys.exit(EXIT_WRONG_INPUT)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(141)
