"""What runs say of a flag: how its units fared beside the others, and what all runs together amount to."""

from msgspec import Struct


class Arms(Struct, frozen=True, kw_only=True):
    """One run or more: units with the flag and without, and how many of each went bad."""

    flagged: int = 0
    flagged_bad: int = 0
    others: int = 0
    others_bad: int = 0

    def plus(self, other: "Arms") -> "Arms":
        """Return the sum."""
        return Arms(
            flagged=self.flagged + other.flagged,
            flagged_bad=self.flagged_bad + other.flagged_bad,
            others=self.others + other.others,
            others_bad=self.others_bad + other.others_bad,
        )


class Accounts(Struct, frozen=True, kw_only=True):
    """What bets have made of 1, as natural logarithms; `core.bets` says on what each is put."""

    harm: float = 0.0
    struck: float = 0.0
    cleared: float = 0.0
    rare: float = 0.0

    def plus(self, other: "Accounts") -> "Accounts":
        """Return the accounts after further bets."""
        return Accounts(
            harm=self.harm + other.harm,
            struck=self.struck + other.struck,
            cleared=self.cleared + other.cleared,
            rare=self.rare + other.rare,
        )


class Seen(Struct, frozen=True, kw_only=True):
    """What was seen of some runs: how many, their units, and what the bets on them made."""

    runs: int = 0
    arms: Arms = Arms()
    accounts: Accounts = Accounts()

    def plus(self, arms: Arms, moved: Accounts) -> "Seen":
        """Return what was seen with one run more."""
        return Seen(runs=self.runs + 1, arms=self.arms.plus(arms), accounts=self.accounts.plus(moved))


class Evidence(Struct, frozen=True, kw_only=True):
    """What a ramp has seen of one guard: all runs together, and those of each stage."""

    whole: Seen = Seen()
    stages: tuple[Seen, ...]
