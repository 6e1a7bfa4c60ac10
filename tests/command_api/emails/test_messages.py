"""E-mails: each reaches its recipient only, and its token works once."""

from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.db import connections
from msgspec.structs import replace
from prometheus_client import REGISTRY

from command_api.emails import messages
from command_api.emails.delivery import MAX_TRIES
from command_api.tasks import sweep_mailed_tokens
from events.vault.models import Letter, MailedToken
from infra.config import config
from tests.command_api.conftest import ALIEN, PASSWORD, bearer, fields, log_rows

pytestmark = pytest.mark.django_db(databases=["default", "vault"])
OTHER = "a whiter shade of pale"


@pytest.fixture
def ann(register, post):
    """The token of the verification e-mail to a new user."""
    register("Ann", email="Ann@example.org")
    return post.token()


def verify(api, token):
    return api("POST", "/v1/accounts/verify-email", {"token": token})


def forgot(api, email="ann@example.org"):
    answer = api("POST", "/v1/passwords/forgot", {"email": email})
    assert (answer.status_code, answer.content) == (202, b"")
    return answer


def reset(api, token, password=OTHER):
    return api("POST", "/v1/passwords/reset", {"token": token, "password": password})


def verified():
    return [type_ for type_, _ in log_rows()].count("email-verified.v1")


def test_registration_sends_a_verification_email(api, register, post):
    register("Ann", email="Ann@example.org")
    [letter] = post()
    assert letter.to == ["Ann@example.org"]
    assert letter.from_email == config().mail_from
    assert "Hello Ann," in letter.body
    assert "POST /v1/accounts/verify-email" in letter.body
    assert post() == []
    assert Letter.objects.count() == 0


def test_verification_token_works_once(api, ann):
    answer = verify(api, ann)
    assert (answer.status_code, verified()) == (204, 1)
    assert answer.headers["Log-Position"]
    repeated = verify(api, ann)
    assert (repeated.status_code, fields(repeated), verified()) == (422, ["token"], 1)


def test_verification_email_is_sent_again_until_verified(api, log_in, ann, post):
    me = bearer(log_in())

    def ask():
        assert api("POST", "/v1/me/verify-email", by=me).status_code == 202
        return post()

    assert ask() == []  # the first one was sent a moment ago
    post.pass_time()
    assert len(ask()) == 1
    assert verify(api, ann).status_code == 422  # only the last token is valid
    post.pass_time()
    assert api("POST", "/v1/me/verify-email", by=me).status_code == 202
    assert verify(api, post.token()).status_code == 204
    post.pass_time()
    assert ask() == []


def test_email_links_to_the_configured_page(register, post, monkeypatch):
    page = replace(config(), verify_url="https://movies.example.org/verify#{token}")
    monkeypatch.setattr(messages, "config", lambda: page)
    register()
    [letter] = post()
    assert "open https://movies.example.org/verify#" in letter.body
    assert "{token}" not in letter.body


def test_password_reset_sets_the_password_and_ends_all_log_ins(api, log_in, ann, post):
    before = bearer(log_in())
    forgot(api)
    token = post.token()
    answer = reset(api, token)
    assert answer.status_code == 204
    assert answer.headers["Log-Position"]
    assert api.rate(ALIEN, 8, by=before).status_code == 401
    assert log_in().status_code == 401
    assert log_in(password=OTHER).status_code == 200
    assert verified() == 1  # reading it proves the address
    assert reset(api, token, PASSWORD).status_code == 422
    assert MailedToken.objects.count() == 0  # the verification token, too


def test_forgotten_password_answers_the_same_for_unknown_addresses(api, ann, post):
    known_address, unknown_address = forgot(api), forgot(api, "nobody@example.org")
    changing = {"RateLimit-Remaining", "RateLimit-Reset", "X-Request-ID"}
    answers = [
        {name: value for name, value in answer.items() if name not in changing}
        for answer in (known_address, unknown_address)
    ]
    assert answers[0] == answers[1]
    assert [letter.to for letter in post()] == [["Ann@example.org"]]
    assert Letter.objects.count() == 0


@pytest.mark.parametrize("spelling", ["b\u00fccher.example", "xn--bcher-kva.example"])
def test_every_spelling_of_an_address_gets_its_mail(api, register, post, spelling):
    register("eve", email="eve@b\u00fccher.example")
    assert [letter.to for letter in post()] == [["eve@xn--bcher-kva.example"]]
    forgot(api, f"eve@{spelling}")
    assert [letter.to for letter in post()] == [["eve@xn--bcher-kva.example"]]
    assert Letter.objects.count() == 0


def test_emails_to_a_user_are_limited_in_rate(api, ann, post):
    for _ in range(3):
        forgot(api)
    assert len(post()) == 1
    forgot(api)
    assert post() == []


@pytest.mark.parametrize("password", ["short", "password123", "ann@example.org", "47110815"])
def test_weak_password_is_refused_and_the_reset_token_stays_valid(api, ann, post, password):
    forgot(api)
    token = post.token()
    answer = reset(api, token, password)
    assert (answer.status_code, fields(answer)) == (422, ["password"])
    assert reset(api, token).status_code == 204


def test_mailed_tokens_expire_and_are_swept(api, ann, post):
    forgot(api)
    token = post.token()
    post.pass_time("61 minutes")
    answer = reset(api, token)
    assert (answer.status_code, fields(answer)) == (422, ["token"])
    assert sweep_mailed_tokens() == 1
    assert MailedToken.objects.count() == 1  # the other one is valid for two days


def test_mailed_token_is_valid_for_one_purpose(api, ann, post):
    forgot(api)
    token = post.token()
    assert verify(api, token).status_code == 422
    assert reset(api, ann).status_code == 422
    assert reset(api, "x" * 43).status_code == 422


def test_only_digests_of_mailed_tokens_are_stored(api, ann, post):
    forgot(api)
    token = post.token()
    with connections["vault"].cursor() as cursor:
        cursor.execute("SELECT mailed_tokens::text, letters::text FROM mailed_tokens, letters")
        assert token not in str(cursor.fetchall())
    assert token not in str(log_rows())


def test_email_that_fails_is_retried_and_then_given_up(api, ann, post, monkeypatch):
    def fail_to_send(*_args, **_more):
        raise SMTPServerDisconnected("away")

    forgot(api)
    with monkeypatch.context() as patch:
        patch.setattr(messages, "send_mail", fail_to_send)
        assert post() == []
        assert (Letter.objects.count(), MailedToken.objects.count()) == (1, 1)
        post.pass_time("3 minutes")
        assert post() == []
    post.pass_time("5 minutes")
    assert reset(api, post.token()).status_code == 204

    forgot(api)
    monkeypatch.setattr(messages, "send_mail", fail_to_send)
    for _ in range(MAX_TRIES):
        assert Letter.objects.count() == 1
        post()
        post.pass_time("2 hours")
    assert Letter.objects.count() == 0


@pytest.fixture
def letters_counted():
    """What happened to the counters since the last call."""
    before: dict[str, float] = {}

    def counted():
        now = {
            sample.labels["outcome"]: sample.value
            for metric in REGISTRY.collect()
            for sample in metric.samples
            if sample.name == "marquee_letters_total"
        }
        changes = {name: value - before.get(name, 0) for name, value in now.items()}
        before.update(now)
        return {name: change for name, change in changes.items() if change}

    counted()
    return counted


def test_metrics_do_not_tell_which_addresses_have_an_account(api, ann, post, letters_counted):
    letters_counted()
    for email in ("ann@example.org", "nobody@example.org", "ann@example.org"):
        forgot(api, email)
        post()
        assert letters_counted() == {"taken_up": 1}


def test_mail_server_that_is_away_is_counted_equally_for_all_addresses(
    api, ann, post, letters_counted, monkeypatch
):
    def fail_to_connect():
        raise ConnectionRefusedError

    letters_counted()
    for email in ("ann@example.org", "nobody@example.org"):
        with monkeypatch.context() as patch:
            patch.setattr(messages, "connect", fail_to_connect)
            forgot(api, email)
            post()
            assert letters_counted() == {"taken_up": 1, "unreachable": 1}
            post.pass_time("2 minutes")
            post()
            assert letters_counted() == {"unreachable": 1}
        assert Letter.objects.count() == 1
        post.pass_time("5 minutes")
        post()
        assert letters_counted() == {}
        assert Letter.objects.count() == 0


@pytest.mark.parametrize(
    "refusal",
    [
        SMTPRecipientsRefused({"ann@example.org": (550, b"<ann@example.org>: no such user")}),
        SMTPDataError(554, b"rejected for ann@example.org"),
        RuntimeError("ann@example.org"),
    ],
    ids=lambda refusal: type(refusal).__name__,
)
def test_log_of_a_failed_email_holds_no_address(api, ann, post, monkeypatch, caplog, refusal):
    def refuse(*_args, **_more):
        raise refusal

    monkeypatch.setattr(messages, "send_mail", refuse)
    forgot(api)
    assert post() == []
    assert type(refusal).__name__ in caplog.text
    assert "example.org" not in caplog.text


def test_email_is_sent_after_its_sender_died(api, ann, post, monkeypatch):
    class Died(BaseException):
        pass

    def dying(*_args, **_more):
        raise Died

    forgot(api)
    with monkeypatch.context() as patch:
        patch.setattr(messages, "send_mail", dying)
        with pytest.raises(Died):
            post()
    post.pass_time("2 minutes")
    assert reset(api, post.token()).status_code == 204


def test_erased_user_gets_no_email(api, ann, post):
    forgot(api)
    with connections["vault"].cursor() as cursor:
        cursor.execute(
            "UPDATE subjects SET state = 'erased', username_hmac = NULL, email_hmac = NULL,"
            " key = NULL, password_hash = NULL"
        )
    assert post() == []
    assert verify(api, ann).status_code == 204  # it needs no personal data
