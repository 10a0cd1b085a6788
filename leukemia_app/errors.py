"""Errors a person can act on: each says what happened, to which file or field, and what to do."""


class AppError(Exception):
    """Base of every error whose text is meant for the person at the screen."""

    kind = "error"


class ImageError(AppError):
    """A picture cannot be read or used."""

    kind = "image"


class RecipeError(AppError):
    """A preprocessing recipe holds a value that cannot be used."""

    kind = "recipe"


class DatasetError(AppError):
    """A data set, its labels or its groups cannot be used."""

    kind = "dataset"


class UnknownLabelsError(DatasetError):
    """No picture of a data set has a label that the models know, or that the label map states."""

    def __init__(self, text: str, labels: tuple[str, ...]) -> None:
        """`labels` are the data set's own, as its folders or table have them."""
        super().__init__(text)
        self.labels = labels


class BundleError(AppError):
    """A model bundle is damaged, unknown or does not fit this version."""

    kind = "bundle"


class RunError(AppError):
    """A training run cannot start, go on or be read."""

    kind = "run"


class SettingError(AppError):
    """An environment variable or command-line option has a value that cannot be used."""

    kind = "setting"
