"""What reviewing refuses.

ReviewError             shown to the reviewer as it is
├── BadFile             an imported file is not what it should be; nothing was stored
├── ImportStopped       an import can not go on; what is stored stays
│   └── WorkersBusy     the workers have too much to do; it goes on later
├── InvalidAnswer       the answer does not fit the item; nothing was stored
├── ItemChanged         the item changed since it was shown; look at it again
├── NotContestable      what was decided of a check can not be contested (again)
├── SettingsChanged     another lead changed it since the page was opened; look at it again
├── SettingsTaken       another one of the project has the name
├── SlotLost            the slot belongs to somebody else, or to nobody
├── TooLate             the decision can not be taken back any more
└── TooManyAppeals      one application, or one end user, contests more than people can look at
"""

from __future__ import annotations

from webapp.sentences import SaidError


class ReviewError(SaidError):
    """Its message is for the reviewer and never quotes reviewed text."""


class BadFile(ReviewError):
    """Raised with a sentence: it may be stored."""


class ImportStopped(ReviewError):
    """Raised with a sentence: it is stored."""


class WorkersBusy(ImportStopped):
    pass


class InvalidAnswer(ReviewError):
    pass


class ItemChanged(ReviewError):
    pass


class NotContestable(ReviewError):
    """Its message is for who uses the API."""


class SettingsChanged(ReviewError):
    pass


class SettingsTaken(ReviewError):
    pass


class SlotLost(ReviewError):
    pass


class TooLate(ReviewError):
    pass


class TooManyAppeals(ReviewError):
    """Its message is for who uses the API, who may ask again in `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after
