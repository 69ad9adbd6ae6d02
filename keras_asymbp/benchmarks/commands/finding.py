"""What the doctor finds."""

import dataclasses

FINE, ABSENT, SLOW, WRONG = "fine", "absent", "slow", "wrong"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the doctor's table.

    Attributes:
        subject: The subject, such as "memory".
        found: Its value or condition.
        state: `FINE`; `ABSENT`, if a part that not everybody needs is not installed;
            `SLOW`, if runs take longer or may break off; `WRONG`, if results are wrong
            or runs cannot start.
        hint: The remedy, unless the state is `FINE`.
    """

    subject: str
    found: str
    state: str = FINE
    hint: str = ""
