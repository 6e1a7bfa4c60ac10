"""Mail settings parsed from MARQUEE_MAIL_URL."""

import pytest

from infra import mail_settings
from infra.config import BadConfig


@pytest.mark.parametrize(
    ("url", "kind", "rest"),
    [
        ("console:", "console", ("", 0, "", "", False, False, None)),
        ("file:/var/mail", "filebased", ("", 0, "", "", False, False, "/var/mail")),
        ("smtp://mail", "smtp", ("mail", 25, "", "", False, False, None)),
        ("smtp+starttls://a:p%40s@mail", "smtp", ("mail", 587, "a", "p@s", True, False, None)),
        ("smtps://a:b@mail:4650", "smtp", ("mail", 4650, "a", "b", False, True, None)),
    ],
)
def test_mail_url_selects_backend_and_options(url, kind, rest):
    assert mail_settings.parse(url) == (f"django.core.mail.backends.{kind}.EmailBackend", *rest)


@pytest.mark.parametrize("url", ["", "mail", "file:", "smtp:", "https://mail"])
def test_invalid_mail_url_is_refused(url):
    with pytest.raises(BadConfig, match="MARQUEE_MAIL_URL"):
        mail_settings.parse(url)
