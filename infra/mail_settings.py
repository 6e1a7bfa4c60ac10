"""How does mail go out, as one setting says it?"""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from infra.config import BadConfig

_BACKENDS = "django.core.mail.backends"
_SMTP_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class Way(NamedTuple):
    """What Django wants to know of it."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    use_starttls: bool = False
    use_tls: bool = False
    directory: str | None = None


def read(url: str) -> Way:
    """The way that the URL says; raises BadConfig."""
    parts = urlsplit(url)
    match parts.scheme:
        case "console":
            return Way(f"{_BACKENDS}.console.EmailBackend")
        case "file" if parts.path:
            return Way(f"{_BACKENDS}.filebased.EmailBackend", directory=parts.path)
        case "smtp" | "smtp+starttls" | "smtps" as scheme if parts.hostname:
            return Way(
                f"{_BACKENDS}.smtp.EmailBackend",
                host=parts.hostname,
                port=parts.port or _SMTP_PORTS[scheme],
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                use_starttls=scheme == "smtp+starttls",
                use_tls=scheme == "smtps",
            )
        case _:
            raise BadConfig("MARQUEE_MAIL_URL is none of console:, file:DIRECTORY, smtp://HOST")
