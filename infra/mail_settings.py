"""Django's mail settings, parsed from MARQUEE_MAIL_URL."""

from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from infra.config import BadConfig

_BACKENDS = "django.core.mail.backends"
_SMTP_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


class MailSettings(NamedTuple):
    """Django's EMAIL_* settings."""

    backend: str
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    use_starttls: bool = False
    use_tls: bool = False
    directory: str | None = None


def parse(url: str) -> MailSettings:
    """Parse the URL; raises BadConfig."""
    parts = urlsplit(url)
    match parts.scheme:
        case "console":
            return MailSettings(f"{_BACKENDS}.console.EmailBackend")
        case "file" if parts.path:
            return MailSettings(f"{_BACKENDS}.filebased.EmailBackend", directory=parts.path)
        case "smtp" | "smtp+starttls" | "smtps" as scheme if parts.hostname:
            return MailSettings(
                f"{_BACKENDS}.smtp.EmailBackend",
                host=parts.hostname,
                port=parts.port or _SMTP_PORTS[scheme],
                user=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                use_starttls=scheme == "smtp+starttls",
                use_tls=scheme == "smtps",
            )
        case _:
            raise BadConfig("MARQUEE_MAIL_URL must be console:, file:DIRECTORY or smtp://HOST")
