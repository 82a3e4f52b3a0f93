"""Errors between us and the server: each type has its meaning for a job, and no text has secrets."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..core.errors import QpuError

_CREDENTIALS = re.compile(r"//[^/@\s'\"]+@")
_NAMED_TOKEN = re.compile(r"(token['\"]?\s*[:=]\s*['\"]?)[^'\",\s})]+", re.IGNORECASE)
_LONGEST = 500

_REFUSALS = (400, 401, 403, 404, 405, 413, 415, 422, 429)
"""Answers after which the server certainly has no new job; after others, such as 5xx, it may have one."""


class NotSentError(QpuError):
    """The server does not have the job; the problem is not specific to this job, so the others would fail too."""


class UnansweredError(QpuError):
    """The server may have the job or not: no reply says so."""


class RefusedError(QpuError):
    """The server will not run this job, but others may run."""


class NotNowError(QpuError):
    """The server gave no usable reply now; the same request may be repeated."""


class UnknownJobError(QpuError):
    """The server knows no such job with this token."""


class ExpiredError(QpuError):
    """The answer has expired on the server."""


class Secrets:
    """Removes tokens, and the passwords of proxies, from texts and logs."""

    def __init__(self) -> None:
        self._known: set[str] = set()
        self.add(os.environ.get("DWAVE_API_TOKEN"))

    def add(self, token: Any) -> None:
        """Remove a token from all texts from now on."""
        if isinstance(token, str) and token.strip():
            self._known |= {token, token.strip(), repr(token)[1:-1]}

    def scrub(self, text: str) -> str:
        """The text without secrets."""
        for secret in sorted(self._known, key=len, reverse=True):
            text = text.replace(secret, "<token>")
        return _CREDENTIALS.sub("//", text)

    @contextmanager
    def kept_from_logs(self) -> Iterator[None]:
        """Scrub the messages of the client's own loggers; when verbose, they print whole requests."""

        def scrubbed(record: logging.LogRecord) -> logging.LogRecord:
            record.msg = _NAMED_TOKEN.sub(r"\1<token>", self.scrub(record.getMessage()))
            record.args = ()
            if record.exc_info:
                record.exc_info = None  # a traceback shows requests with their headers
            return record

        before = logging.getLogRecordFactory()

        # in the factory, not in filters of loggers: the client may make more of them
        def factory(*arguments: Any, **more: Any) -> logging.LogRecord:
            record = before(*arguments, **more)
            return scrubbed(record) if record.name.startswith("dwave.cloud") else record

        logging.setLogRecordFactory(factory)
        try:
            yield
        finally:
            logging.setLogRecordFactory(before)


def sending(error: Exception, secrets: Secrets) -> QpuError:
    """Meaning of an error while a job was sent."""
    status = _status(error)
    if status in _REFUSALS or _never_connected(error):
        return NotSentError(explain(error, secrets))
    return UnansweredError(explain(error, secrets))


def asking(error: Exception, secrets: Secrets) -> QpuError:
    """Meaning of an error in a question about a job."""
    kinds = {404: UnknownJobError, 410: ExpiredError}
    status = _status(error)
    permanent = status in (400, 401, 403) and QpuError
    return (kinds.get(status or 0) or permanent or NotNowError)(explain(error, secrets))


def explain(error: Exception, secrets: Secrets) -> str:
    """Description of an error, with a remedy."""
    from requests.exceptions import InvalidSchema, InvalidURL, MissingSchema

    status, said = _status(error), secrets.scrub(str(error))[:_LONGEST]
    if status in (401, 403):
        return (
            f"the server does not accept the token ({said}); set DWAVE_API_TOKEN, or the token in dwave.conf, to "
            "one of the project, and check that the endpoint or region fits the token."
        )
    if status == 429:
        return f"the server has too many requests or jobs of yours ({said}); wait, then run the command again."
    if status == 410:
        return f"the answer has expired on the server ({said})."
    if status == 404:
        return f"the server does not know the job ({said})."
    if status is not None and status >= 500:
        return f"the server has an error of its own ({status}: {said}); run the command again later."
    if status is not None:
        return f"the server refused the request ({status}: {said})."
    if isinstance(error, MissingSchema | InvalidSchema | InvalidURL):
        return f"the endpoint is no address ({said}); correct it in DWAVE_API_ENDPOINT or dwave.conf."
    if _never_connected(error):
        return f"the server cannot be reached ({said}); check the network and the endpoint."
    return f"no usable reply came from the server ({type(error).__name__}: {said}); run the command again."


def _status(error: Exception) -> int | None:
    """HTTP status of the reply behind an error."""
    from dwave.cloud.api.exceptions import ResourceAuthenticationError

    response = getattr(error, "response", None)
    status = getattr(response, "status_code", None) or getattr(error, "error_code", None)
    if status is None and isinstance(error, ResourceAuthenticationError):
        return 401
    return status if isinstance(status, int) else None


def _never_connected(error: BaseException) -> bool:
    """Whether no connection was made, so that nothing was sent.

    A POST is repeated only while connecting fails, so where the last error was one of connecting, all were.
    """
    from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

    causes = [error, *error.args, error.__cause__, *getattr(error.__cause__, "args", ())]
    return any(
        isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError | ConnectTimeoutError)
        for cause in causes
    )
