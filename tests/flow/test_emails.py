"""Password reset by email on a running platform."""

import re

from tests.fixtures.platform import PASSWORD
from tests.fixtures.waiting import until

OTHER = "l-arrivee-d-un-train"
TOKEN = re.compile("^[A-Za-z0-9_-]{43}$", re.MULTILINE)


def test_forgotten_password_is_reset_by_email(start, register_client, tmp_path):
    mail = tmp_path / "mail"
    mail.mkdir()
    ann = register_client(start(MARQUEE_MAIL_URL=f"file:{mail}"), "ann")

    def letter(subject):
        letters = [path.read_text() for path in mail.iterdir()]
        return next((it for it in letters if subject in it and TOKEN.search(it)), None)

    assert "To: ann@example.org" in until(lambda: letter("Verify your e-mail address"))
    forgot = ann.command.post("/v1/passwords/forgot", json={"email": "ann@example.org"})
    assert forgot.status_code == 202
    [token] = TOKEN.findall(until(lambda: letter("Reset your password")))
    chosen = {"token": token, "password": OTHER}
    reset = ann.command.post("/v1/passwords/reset", json=chosen)
    assert reset.status_code == 204
    assert ann.read("/v1/me/ratings", reset.headers["Log-Position"]).status_code == 401
    log_ins = [
        ann.command.post("/v1/tokens", json={"login": "ann", "password": password}).status_code
        for password in (PASSWORD, OTHER)
    ]
    assert log_ins == [401, 200]
