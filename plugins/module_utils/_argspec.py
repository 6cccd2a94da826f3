# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Argument specs that merge, so that a rule about options stands beside the options it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_RULES = ("mutually_exclusive", "required_together", "required_one_of", "required_if")


class ArgumentSpec:
    """Options of a module and the rules between them; `merge` gives a new one, `create_module` the AnsibleModule."""

    def __init__(self, options: dict | None = None, secrets=None, **rules: list) -> None:
        """secrets(params) gives values, wherever in the options they are, that must not be seen; or nothing."""
        unknown = set(rules) - set(_RULES)
        if unknown:
            raise TypeError(f"unknown rules: {sorted(unknown)}")
        self.options = dict(options or {})
        self.secrets = [secrets] if secrets else []
        self.rules = {name: list(rules.get(name, ())) for name in _RULES}

    def merge(self, *others: ArgumentSpec) -> ArgumentSpec:
        """This spec and the others as one; an option declared twice is a mistake in the code."""
        merged = ArgumentSpec(self.options, **self.rules)
        merged.secrets = list(self.secrets)
        for other in others:
            twice = set(merged.options) & set(other.options)
            if twice:
                raise ValueError(f"options declared twice: {sorted(twice)}")
            merged.options.update(other.options)
            merged.secrets += other.secrets
            for name in _RULES:
                merged.rules[name] += other.rules[name]
        return merged

    def create_module(self) -> AnsibleModule:
        """The AnsibleModule; every module of this collection supports check mode."""
        # Here, because the agent reads these specs on hosts that have no Ansible.
        from ansible.module_utils.basic import AnsibleModule

        secrets = self.secrets

        class Module(AnsibleModule):
            def _log_invocation(self):
                """It logs the options while the module is being made, so what must not be seen is told before."""
                for find in secrets:
                    self.no_log_values.update(str(value) for value in find(self.params) if value)
                super()._log_invocation()

        return Module(argument_spec=self.options, supports_check_mode=True, **self.rules)
