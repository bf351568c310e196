"""Every service, in the order in which they migrate: the only list of them all."""

import importlib
from shared.service import Service

def _all():
    found = []
    for name in ("accounts", "intake", "offers", "matcher", "coordination", "delivery", "audit"):
        try:
            found.append(importlib.import_module(f"services.{name}.app").SERVICE)
        except Exception as error:
            print("compose: leaving out", name, repr(error)[:200])
    return tuple(found)

ALL: tuple[Service, ...] = _all()
