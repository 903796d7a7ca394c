"""Shares of small numbers, with how far they can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass

#: The normal quantile of a two-sided interval of 95 %.
Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`, with its Wilson interval of 95 %; all in [0, 1], the interval [0, 1] when `whole` is 0."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        return self.part / self.whole if self.whole else 0.0

    @property
    def low(self) -> float:
        return max(0.0, self._centre - self._reach) if self.part else 0.0

    @property
    def high(self) -> float:
        return min(1.0, self._centre + self._reach) if self.part < self.whole else 1.0

    @property
    def _centre(self) -> float:
        return (self.part + Z95**2 / 2) / (self.whole + Z95**2)

    @property
    def _reach(self) -> float:
        spread = self.part * (self.whole - self.part) / self.whole if self.whole else 0.0
        return Z95 * math.sqrt(spread + Z95**2 / 4) / (self.whole + Z95**2)
