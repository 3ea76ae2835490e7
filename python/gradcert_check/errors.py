"""The two ways in which a certificate fails."""


class BadInput(Exception):
    """The file, the data or the parameters cannot be read as what they should be (exit 4)."""


class NotProved(Exception):
    """A claim does not follow from the statements (exit 1)."""

    def __init__(self, field, reason):
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def require(condition, field, reason):
    """Ball comparisons are True only if they hold for all members, so a doubt is a rejection."""
    if condition is not True:
        raise NotProved(field, reason)
