"""Taking payments in the portal.

- `till.py`     what a clinic is paid through: given by the office
- `answers.py`  the calls of `calls/paying.py`; `showing.py` has attempts as pages see them
- `engine.py`   from the plan to the end, exactly once; `sealed.py` what nobody may read in the state file
- `booking.py`  what follows in Open Dental's database; `receipt.py` the mail
"""

from econnector.eservices.portal.office.cashier.answers import answer
from econnector.eservices.portal.office.cashier.engine import RECONCILE_SECONDS, Cashier
from econnector.eservices.portal.office.cashier.till import MerchantTills, Till, Tills

__all__ = ["RECONCILE_SECONDS", "Cashier", "MerchantTills", "Till", "Tills", "answer"]
