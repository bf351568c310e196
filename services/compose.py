"""Every service, in the order in which they migrate: the only list of them all."""

from services.accounts.app import SERVICE as ACCOUNTS
from services.audit.app import SERVICE as AUDIT
from services.coordination.app import SERVICE as COORDINATION
from services.delivery.app import SERVICE as DELIVERY
from services.intake.app import SERVICE as INTAKE
from services.matcher.app import SERVICE as MATCHER
from services.offers.app import SERVICE as OFFERS
from shared.service import Service

ALL: tuple[Service, ...] = (ACCOUNTS, INTAKE, OFFERS, MATCHER, COORDINATION, DELIVERY, AUDIT)
