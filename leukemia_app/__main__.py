"""`python -m leukemia_app`."""

import sys

from leukemia_app.cli import main

if __name__ == "__main__":
    sys.exit(main())
