"""Rules for verifying an e-mail address."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from command_api.aggregate import Aggregate
from events.catalogue import EmailVerified
from events.recorded import Stream


@dataclass(frozen=True, slots=True)
class VerifyEmail:
    """Mark the user's address as verified. The vault has checked the mailed token."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class EmailState:
    is_verified: bool = False


def decide(command: VerifyEmail, email: EmailState) -> Sequence[EmailVerified]:
    """Return the event, once."""
    if email.is_verified:
        return ()
    return (EmailVerified(user_id=command.user_id),)


def evolve(_before: EmailState, event: EmailVerified) -> EmailState:
    match event:
        case EmailVerified():
            return EmailState(is_verified=True)


email: Aggregate[VerifyEmail, EmailState, EmailVerified] = Aggregate(
    stream=lambda command: Stream(f"email-{command.user_id}", str(command.user_id)),
    initial=EmailState(),
    decide=decide,
    evolve=evolve,
)
