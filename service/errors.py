"""Every error that Portreeve raises on purpose.

The hierarchy::

    GovernanceError             what went wrong, and what to do (``hint``)
    ├── RequestRefused          the input cannot be decided about: unreadable, too large, hostile
    ├── BundleRefused           a bundle that must not decide: does not compile, has no rules
    ├── EvaluationFailed        the engine gave no usable answer for this request
    │   ├── DeadlineExceeded    it took too long and was stopped
    │   └── EngineUnavailable   there is no engine to ask at the moment
    ├── LogUnavailable          a record cannot be made durable, so no answer may leave
    ├── NotAllowed              the caller lacks the role for this
    ├── NotFound                what was asked for does not exist
    ├── ClusterUnavailable      the API server of a cluster gave no usable answer
    └── SettingsRefused         a setting is missing, malformed or contradicts another

Messages are one sentence in lower case without a full stop, with the user's data in backticks.
``code`` is the stable code that answers and records carry.
"""

from __future__ import annotations

from typing import ClassVar


class GovernanceError(Exception):
    """The base of every deliberate error.

    Attributes:
        message: What was found and what was expected.
        hint: What the reader can do about it; empty where nothing can be done.
        code: The stable code in answers and records.
        status: The HTTP status of an answer that is not an AdmissionReview.
    """

    default_code: ClassVar[str] = "SYS-ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code or self.default_code


class RequestRefused(GovernanceError):
    """The input cannot be decided about, so it is refused and recorded as ``rejected``."""

    default_code = "SYS-INPUT"
    status = 400


class BundleRefused(GovernanceError):
    """A bundle that must not decide anything."""

    default_code = "SYS-BUNDLE"
    status = 422


class EvaluationFailed(GovernanceError):
    """The engine gave no usable answer; the request is refused and recorded."""

    default_code = "SYS-EVALUATION"
    status = 500


class DeadlineExceeded(EvaluationFailed):
    """The evaluation was stopped at its deadline."""

    default_code = "SYS-DEADLINE"
    status = 504


class EngineUnavailable(EvaluationFailed):
    """No engine could be asked; the caller may try again."""

    default_code = "SYS-ENGINE"
    status = 503


class LogUnavailable(GovernanceError):
    """A record cannot be made durable; the request is refused, whatever the rules said."""

    default_code = "SYS-LOG"
    status = 503


class NotAllowed(GovernanceError):
    """The caller is not known, or is known and lacks the role."""

    default_code = "SYS-AUTH"
    status = 403


class NotFound(GovernanceError):
    """What was asked for does not exist, or not for this caller."""

    default_code = "SYS-NOT-FOUND"
    status = 404


class ClusterUnavailable(GovernanceError):
    """The API server of a cluster gave no usable answer.

    Attributes:
        answered: The status of its answer; 0 where it gave none.
        retry_after: The seconds after which it wants to be asked again; 0 where it says nothing.
    """

    default_code = "SYS-CLUSTER"
    status = 503

    def __init__(
        self, message: str, *, hint: str = "", answered: int = 0, retry_after: int = 0
    ) -> None:
        super().__init__(message, hint=hint)
        self.answered = answered
        self.retry_after = retry_after


class SettingsRefused(GovernanceError):
    """A setting is missing, malformed or contradicts another."""

    default_code = "SYS-SETTINGS"
    status = 500
