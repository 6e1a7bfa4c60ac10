"""When is an address known to be its owner's?"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from command_api.aggregate import Aggregate
from events.catalogue import EmailVerified
from events.recorded import Stream


@dataclass(frozen=True, slots=True)
class VerifyEmail:
    """Say that a letter to the address was read. That it was is the vault's to know."""

    user_id: UUID


@dataclass(frozen=True, slots=True)
class EmailState:
    """Whether the address of an account is known to be its owner's."""

    is_verified: bool = False


def decide(command: VerifyEmail, email: EmailState) -> Sequence[EmailVerified]:
    """What the command leads to."""
    if email.is_verified:
        return ()
    return (EmailVerified(user_id=command.user_id),)


def evolve(_before: EmailState, event: EmailVerified) -> EmailState:
    """How it is after an event."""
    match event:
        case EmailVerified():
            return EmailState(is_verified=True)


email: Aggregate[VerifyEmail, EmailState, EmailVerified] = Aggregate(
    stream=lambda command: Stream(f"email-{command.user_id}", str(command.user_id)),
    initial=EmailState(),
    decide=decide,
    evolve=evolve,
)
