"""快递100: courier orders, tracking by query and by subscription, and the callbacks of both."""

from __future__ import annotations

from sandbox.kuaidi100 import api, control

blueprints = (api.blueprint, control.blueprint)
business_error = api.business_error
