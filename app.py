"""Start the page: python app.py."""

import os
import sys

from leukemia_app.errors import AppError
from leukemia_app.settings import QUIET, Settings


def main() -> None:
    """Serve the page as the environment says."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    from leukemia_app.ui.page import serve

    try:
        serve(Settings.from_environment(os.environ))
    except AppError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
