"""``python -m qianmo.cli`` runs the command."""

import sys

from qianmo.cli.main import main

sys.exit(main())
