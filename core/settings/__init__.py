"""The only reader of the environment.

`load()` names every variable, its type and what it is for, and reports all faults at once. No secret has a default: a
missing one stops the start. `make run` writes a `secrets.env` with fresh values; production sets them its own way.

groups.py   what the settings are
reading.py  from the environment's texts to values
loading.py  each variable by its name
"""

from core.settings.groups import (
    AlipaySettings,
    CryptoSettings,
    Environment,
    IdentityAuthoritySettings,
    Kuaidi100Settings,
    NetworkIdentitySettings,
    RegistrySettings,
    Settings,
    SmsSettings,
    TencentSmsSettings,
    WeChatSettings,
)
from core.settings.loading import SettingsError, load, partner_urls

__all__ = [
    "AlipaySettings",
    "CryptoSettings",
    "Environment",
    "IdentityAuthoritySettings",
    "Kuaidi100Settings",
    "NetworkIdentitySettings",
    "RegistrySettings",
    "Settings",
    "SettingsError",
    "SmsSettings",
    "TencentSmsSettings",
    "WeChatSettings",
    "load",
    "partner_urls",
]
