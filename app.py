"""Start the page: python app.py."""

import os
import sys

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

from leukemia_app.errors import AppError
from leukemia_app.settings import Settings
from leukemia_app.ui.page import serve


def main() -> None:
    """Serve the page as the environment says."""
    try:
        serve(Settings.from_environment(os.environ))
    except AppError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
