"""``python -m qianmo.cli`` runs the command."""

import sys

from qianmo.cli.start import main

sys.exit(main())
