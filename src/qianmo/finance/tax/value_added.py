"""Value-added tax with the pool of input tax carried forward (增值税, 留抵税额)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from qianmo.finance.fen import whole_fen
from qianmo.finance.yearly import from_start, same_years

__all__ = ["VatYears", "value_added_tax"]


@dataclass(frozen=True)
class VatYears:
    """Value-added tax by year, arrays (years,) or (years, scenarios) [fen] (增值税逐年表).

    `paid_fen` tax paid (应纳税额, cost positive); `pool_fen` input tax carried forward at year end (期末留抵);
    `refund_fen` pool paid back in cash (留抵退税, 0 without a refund share).
    """

    paid_fen: np.ndarray
    pool_fen: np.ndarray
    refund_fen: np.ndarray


def value_added_tax(
    output_fen: Any, input_fen: Any, *, pool_fen: Any = 0.0, refund_share: Any = 0.0, exact: bool = True
) -> VatYears:
    """Tax paid and pool at the end of every year (增值税与留抵).

    Parameters
    ----------
    output_fen, input_fen : array (years,) or (years, scenarios)
        Output and input tax of the year (销项, 进项税额) [fen], not negative.
    pool_fen : float or array (scenarios,)
        Pool brought in from before year 1 [fen].
    refund_share : float or array (years,)
        Share of the pool left at year end that is paid back in cash that year, 0 to 1.
    exact : bool
        Whole fen every year.

    Returns
    -------
    VatYears
        Paid rises with output; every fen of input is either used, in the pool, or refunded.

    Raises
    ------
    SchemaError
        Lengths differ, or a value is missing or negative.

    Notes
    -----
    :math:`n_t = O_t - I_t - P_{t-1}`, paid :math:`\\max(n_t, 0)`, pool :math:`P_t = \\max(-n_t, 0)` less the refund.

    Examples
    --------
    >>> value_added_tax([0.0, 900.0, 900.0], [1300.0, 100.0, 100.0]).paid_fen.tolist()
    [0.0, 0.0, 300.0]
    """
    output, bought, share = same_years(output_fen=output_fen, input_fen=input_fen, refund_share=refund_share, least=0.0)
    start, output, bought, share = from_start("pool_fen", pool_fen, output, bought, share, least=0.0)
    output, bought = whole_fen(output, exact), whole_fen(bought, exact)
    paid, pool, refund = (np.zeros(output.shape) for _ in range(3))
    carried = whole_fen(start, exact)
    for t in range(len(output)):
        net = output[t] - bought[t] - carried
        paid[t] = np.maximum(net, 0.0)
        left = np.maximum(-net, 0.0)
        refund[t] = whole_fen(left * np.minimum(share[t], 1.0), exact)
        carried = pool[t] = left - refund[t]
    return VatYears(paid, pool, refund)
