"""What goes wrong with storage beyond the local disk: whether it passes, and how it is told."""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from typing import Any, cast

_CREDENTIALS = {
    "s3": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE, or write anon = true under"
    " [storage.s3] for a public bucket",
    "gs": 'run `gcloud auth application-default login`, or write token = "anon" under [storage.gs] for'
    " a public bucket",
}


class ShortError(Exception):
    """Fewer bytes came than there should be."""


def throttled(error: BaseException) -> bool:
    """Whether the storage asks to slow down."""
    busy = getattr(error, "errno", None) == errno.EBUSY or getattr(error, "status", 0) in (429, 503)
    return busy or bool(
        re.search(r"SlowDown|reduce your request rate|\b(429|503)\b|TooMany", str(error))
    )


def passing(error: Exception) -> bool:
    """Whether it may go well the next time."""
    if throttled(error) or "Payload" in type(error).__name__:  # cut off on its way
        return True
    if isinstance(error, FileNotFoundError | PermissionError | NotImplementedError | ImportError):
        return False
    if isinstance(error, TypeError | ValueError | KeyError | AttributeError):
        return False
    lasting = r"Authentication|failed to authenticate|Credential|InvalidAccessKey|SignatureDoesNotMatch|\b(400|401|403|404)\b|Forbidden"
    return not re.search(lasting, f"{type(error).__name__} {error}")


def sentence(
    error: Exception, host: str, options: Mapping[str, Any], *, tries: int, listing: bool = False
) -> str:
    """What went wrong with a ``host`` after so many ``tries``, for users; what ``options`` hold is secret."""
    scheme = host.partition(":")[0]
    if isinstance(error, FileNotFoundError) and "Connect" in type(error.__cause__).__name__:
        error = cast("Exception", error.__cause__)  # which fsspec takes for a missing page
    name, text = type(error).__name__, str(error)
    if isinstance(error, FileNotFoundError):
        if re.search(r"(?i)no ?such ?bucket|bucket (does not|doesn.t) exist", text):
            return f"cannot be read: there is no bucket {host.partition('://')[2]}"
        return "does not exist" if listing else "is not there any more"
    if name in ("NoCredentialsError", "DefaultCredentialsError", "CredentialRetrievalError"):
        how = _CREDENTIALS.get(scheme, "see the documentation of this storage")
        return f"cannot be read without credentials: {how}"
    if name == "HostKeyNotVerifiable":
        return (
            "cannot be read: its host key is not known here; connect by `ssh` once to see it, or"
            " name a file of known hosts as known_hosts under [storage.ssh]"
        )
    if isinstance(error, PermissionError) or re.search(
        r"\b(401|403)\b|Forbidden|denied|Authentication(Error|Failed)|failed to authenticate",
        f"{name} {text}",
    ):
        return "cannot be read: permission denied with the credentials that were found"
    if throttled(error):
        return f"cannot be read: the storage asked {tries} times to slow down (503)"
    if isinstance(error, TimeoutError) or "Timeout" in name:
        return "cannot be read: the storage did not answer in time"
    if isinstance(error, ConnectionError) or re.search(
        "Connect|Endpoint|gaierror|ServiceRequestError", name
    ):
        return "cannot be read: the storage cannot be reached"
    if isinstance(error, ShortError):
        return f"cannot be read: {text}"
    words = getattr(error, "strerror", None) or text.partition("\n")[0][:200] or "no reason given"
    return f"cannot be read: {_without_secrets(words, options).replace(': ', ', ')} ({name})"


def _without_secrets(text: str, options: Mapping[str, Any]) -> str:
    pending: list[Any] = [options]
    while pending:
        each = pending.pop()
        if isinstance(each, Mapping):
            pending.extend(each.values())
        elif isinstance(each, str) and len(each) > 3:
            text = text.replace(each, "***")
    return re.sub(
        r"(?i)((?:key|secret|token|password|signature|credential)\w*[=: ]+)\S+", r"\1***", text
    )
