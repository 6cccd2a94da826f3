# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds between the collection's files and what no common gate looks at: each message says what to do."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.midi.capacity.plugins.module_utils._alerts import channels
from ansible_collections.midi.capacity.plugins.module_utils._thresholds import table
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.unit.collection import (
    INVENTORIES,
    MODULES,
    NAMESPACE,
    PLAYBOOKS,
    ROLES,
    ROOT,
    SCENARIOS,
    converge,
    dicts,
    documentation,
    documented,
    entries_run,
    entry_points,
    expressions,
    inventory,
    load,
    local,
    names,
    options,
    owner,
    produced,
    role_files,
    roles_run,
    texts,
)

# By their names: which action group a module is in, and which fragment documents its connection.
GROUPS = {"pg": "postgres", "redis": "redis"}
CODE = ("tasks", "handlers", "templates", "vars")

by_role = pytest.mark.parametrize("role", ROLES)
by_module = pytest.mark.parametrize("module", MODULES)
by_playbook = pytest.mark.parametrize("playbook", PLAYBOOKS)
by_inventory = pytest.mark.parametrize("name", INVENTORIES)


def group_of(module: str) -> str | None:
    return GROUPS.get(module.split("_")[0])


def test_there_is_something_to_hold() -> None:
    """Without these the tests below would have no cases, and pass."""
    assert ROLES and MODULES and PLAYBOOKS and INVENTORIES and SCENARIOS


# Roles: argument specs, defaults, names


@by_role
def test_argument_specs_and_defaults_have_the_same_names(role: str) -> None:
    specified = {name for name, option in options(role).items() if "default" in option}
    defaults = set(load(f"roles/{role}/defaults/main.yml") or {})
    assert specified == defaults, (
        f"only in meta/argument_specs.yml with a default: {sorted(specified - defaults)}; "
        f"only in defaults/main.yml: {sorted(defaults - specified)}: every default stands in both"
    )


@by_role
def test_argument_specs_and_defaults_have_the_same_values(role: str) -> None:
    defaults = load(f"roles/{role}/defaults/main.yml") or {}
    # As JSON, for true is no 1 and "1" neither.
    differing = {
        name: (option["default"], defaults[name])
        for name, option in options(role).items()
        if "default" in option and name in defaults and json.dumps(option["default"]) != json.dumps(defaults[name])
    }
    assert not differing, f"(meta/argument_specs.yml, defaults/main.yml) differ, make them the same: {differing}"


@by_role
def test_an_option_is_required_or_has_a_default(role: str) -> None:
    neither = [name for name, option in options(role).items() if ("default" in option) == option.get("required", False)]
    assert not neither, f"give each either `required: true` or a default, not both: {neither}"


@by_role
def test_a_role_is_specified_and_described(role: str) -> None:
    entries = entry_points(role)
    assert "main" in entries, f"write roles/{role}/meta/argument_specs.yml with the entry point main"
    for name, entry in entries.items():
        assert entry.get("short_description") and entry.get("description"), f"say what {name} of the role is for"
        assert (ROOT / f"roles/{role}/tasks/{name}.yml").is_file(), f"there is no tasks/{name}.yml for the entry point"
    silent = [name for name, option in options(role).items() if not option.get("description")]
    assert not silent, f"describe in meta/argument_specs.yml: {silent}"


@by_role
def test_an_option_of_several_entry_points_is_the_same_in_all(role: str) -> None:
    for entry, specified in entry_points(role).items():
        for name, option in (specified.get("options") or {}).items():
            # As JSON, for true is no 1 and "1" neither.
            one, other = ({key: found.get(key) for key in ("type", "elements", "choices", "default", "required")}
                          for found in (option, options(role)[name]))  # fmt: skip
            assert json.dumps(one) == json.dumps(other), f"{name} of {entry} is another one elsewhere: {one}, {other}"


@by_role
def test_public_variables_begin_with_the_role_and_internal_ones_with_two_underscores(role: str) -> None:
    public = set(options(role)) | set(load(f"roles/{role}/defaults/main.yml") or {})
    wrong = {name for name in public if not name.startswith(f"{role}_")}
    assert not wrong, f"these are public, so call them {role}_…: {sorted(wrong)}"
    for path, _text, data in role_files(role, "tasks", "handlers", "vars"):
        made = set(data or {}) if path.startswith(f"roles/{role}/vars/") else produced(data)
        facts = {name for name in made if name.startswith(f"{role}_") and f"C({name})" in documented(role)}
        wrong = {name for name in made - facts if not re.fullmatch(rf"__{role}(_\w+)?", name)}
        assert not wrong, (
            f"{path}: these are internal, so call them __{role}_…; a fact that is for playbooks is called {role}_… and "
            f"stands as C({role}_…) in the description of meta/argument_specs.yml: {sorted(wrong)}"
        )
        wrong = {name for name in local(data) if not name.startswith("__")}
        assert not wrong, f"{path}: begin the variables of single tasks with two underscores: {sorted(wrong)}"


@by_role
def test_every_variable_that_a_role_reads_is_declared(role: str) -> None:
    declared = set(options(role)) | set(load(f"roles/{role}/vars/main.yml") or {})
    for _path, _text, data in role_files(role, "tasks", "handlers", "vars"):
        declared |= produced(data) | local(data)
    for path, text, _data in role_files(role, "defaults", *CODE):
        unknown = {name for name in names(text) if owner(name) == role} - declared
        # A role's internal variable may be called as the role: __role.
        assert not unknown, f"{path}: declare in meta/argument_specs.yml and defaults, or in vars/: {sorted(unknown)}"


@by_role
def test_every_variable_that_a_role_declares_is_read(role: str) -> None:
    internal = set(load(f"roles/{role}/vars/main.yml") or {})
    reads: set[str] = set()
    for path, text, data in role_files(role, "defaults", *CODE):
        # The line that declares a variable is no use of it.
        values = data.values() if path == f"roles/{role}/vars/main.yml" else None
        values = [] if path == f"roles/{role}/defaults/main.yml" else values
        reads |= names(text if values is None else "\n".join(texts(list(values))))
    unread = (set(options(role)) | internal) - reads
    assert not unread, f"nothing in the role reads these: use them or take them away: {sorted(unread)}"


@by_role
def test_a_role_never_reads_the_variables_of_another(role: str) -> None:
    for path, text, _data in role_files(role, "defaults", *CODE):
        foreign = {name for name in names(text) if owner(name) != role}
        assert not foreign, (
            f"{path}: make a variable {role}_… of each and hand it over in the playbook, "
            f"for these belong to another role or to the inventory: {sorted(foreign)}"
        )


@by_role
def test_a_bool_is_read_as_one(role: str) -> None:
    """`-e NAME=false` hands over a text, which is true; the argument spec takes it and does not convert it."""
    bools = "|".join(name for name, option in options(role).items() if option["type"] == "bool")
    for path, text, data in role_files(role, "defaults", *CODE):
        for expression in expressions(data if data is not None else text):
            raw = re.findall(rf"\b({bools})\b(?!\s*\|\s*bool\b)", expression) if bools else []
            assert not raw, f"{path}: write `NAME | bool`, for -e hands over texts: {raw} in {expression.strip()}"


# Jinja's own operators that want numbers, and keywords of tasks that do.
ARITHMETIC = r"(?:\*\*|//|[-+*/%]|[<>]=?|[=!]=)"
NUMBER_KEYWORDS = ("async", "poll", "retries", "delay", "throttle")


@by_role
def test_a_number_is_read_as_one(role: str) -> None:
    """`-e NAME=60` hands over a text, and twice that is 6060; the argument spec takes it and does not convert it."""
    numbers = "|".join(name for name, option in options(role).items() if option["type"] in ("int", "float"))
    as_it_is = rf"\b(?:{numbers})\b(?!\s*\|\s*(?:int|float)\b)"
    other_filter = r"(?!\s*\|)"
    for path, text, data in role_files(role, "defaults", *CODE) if numbers else ():
        for expression in expressions(data if data is not None else text):
            # A dash at an end is Jinja's, for white space.
            bare = expression.strip().strip("-")
            raw = re.findall(rf"{ARITHMETIC}\s*{as_it_is}{other_filter}|{as_it_is}\s*{ARITHMETIC}", bare)
            assert not raw, f"{path}: write `NAME | int`, for -e hands over texts: {raw} in {bare}"
        for part in dicts(data):
            for keyword in set(NUMBER_KEYWORDS) & set(part):
                raw = [found for found in expressions(str(part[keyword])) if re.search(as_it_is, found)]
                assert not raw, f"{path}: write `NAME | int` for {keyword}, for -e hands over texts: {raw}"


@by_role
def test_a_text_is_measured_as_one(role: str) -> None:
    """A number where a text is meant has no length and matches nothing."""
    strings = "|".join(name for name, option in options(role).items() if option["type"] == "str")
    for path, text, data in role_files(role, "defaults", *CODE):
        for expression in expressions(data if data is not None else text):
            raw = re.findall(rf"\b({strings})\b(?=\s*(?:\|\s*length|is\s+match|\bin\b|or\b))", expression)
            assert not raw, f"{path}: write `NAME | string`, for it may be a number: {raw} in {expression.strip()}"


@by_role
def test_a_role_says_which_ansible_it_needs(role: str) -> None:
    needed = load(f"roles/{role}/meta/main.yml")["galaxy_info"]["min_ansible_version"]
    lowest = next(iter(SpecifierSet(load("meta/runtime.yml")["requires_ansible"]))).version
    assert lowest == f"{needed}.0", f"meta/main.yml says {needed}, and meta/runtime.yml {lowest}: make them the same"


def test_the_readmes_of_roles_are_fresh() -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [ROOT / "tests/roles-readme", "--check"]
    done = subprocess.run(command, env={**os.environ, "PATH": path}, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@by_role
def test_a_role_is_run_by_a_molecule_scenario(role: str) -> None:
    runs = {scenario: sorted(roles_run(converge(scenario))) for scenario in SCENARIOS}
    assert any(f"{NAMESPACE}.{role}" in run for run in runs.values()), (
        f"no scenario converges {NAMESPACE}.{role}: add molecule/{role}/, or the role to a phase that has one ({runs})"
    )


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_verifies(scenario: str) -> None:
    tests = list((ROOT / "molecule" / scenario / "tests").glob("test_*.py"))
    assert tests, f"molecule/{scenario}/tests has no test_*.py, so its verify step would prove nothing"


# Modules


@by_module
def test_a_module_is_in_its_action_group_and_no_other(module: str) -> None:
    groups = {group for group, members in load("meta/runtime.yml")["action_groups"].items() if module in members}
    wanted = {group_of(module)} - {None}
    assert groups == wanted, f"meta/runtime.yml, action_groups: {module} belongs in {wanted or 'none'}, is in {groups}"


@by_module
def test_a_module_documents_its_connection_with_the_shared_fragment(module: str) -> None:
    fragments = documentation(module).get("extends_documentation_fragment", [])
    shared = {name for name in fragments if name.startswith(f"{NAMESPACE}.")}
    wanted = {f"{NAMESPACE}.{group_of(module)}"} if group_of(module) else set()
    assert shared == wanted, f"{module}: extends_documentation_fragment has to name {wanted or 'none of ours'}"


@by_module
def test_a_module_is_tested_against_a_server(module: str) -> None:
    tests = [path.name for path in (ROOT / "tests/integration").glob("test_*.py") if module in path.read_text("utf-8")]
    assert tests, f"no test in tests/integration speaks of {module}: write tests/integration/test_{module}.py"


def test_action_groups_have_modules_only() -> None:
    unknown = {name for members in load("meta/runtime.yml")["action_groups"].values() for name in members} - set(
        MODULES
    )
    assert not unknown, f"meta/runtime.yml, action_groups: there is no module {sorted(unknown)}"


# Filters


@pytest.mark.parametrize("path", sorted((ROOT / "plugins/filter").glob("*.py")), ids=lambda path: path.stem)
def test_a_filter_imports_our_packages_when_it_is_called(path: Path) -> None:
    """Every worker that meets one filter of a collection loads all of them, and there is a worker for each task."""
    top = ast.parse(path.read_text("utf-8")).body
    early = [node.module for node in top if isinstance(node, ast.ImportFrom) and f"{NAMESPACE}." in str(node.module)]
    assert not early, f"{path.name}: import these in the function that needs them: {early}"


# Playbooks and inventories


@by_playbook
def test_the_roles_of_a_playbook_exist(playbook: str) -> None:
    unknown = set(roles_run(ROOT / playbook)) - {f"{NAMESPACE}.{role}" for role in ROLES}
    assert not unknown, f"{playbook}: there is no such role (write {NAMESPACE}.ROLE): {sorted(unknown)}"


@by_playbook
def test_what_a_playbook_hands_over_is_an_option_of_the_role(playbook: str) -> None:
    for name, variables in roles_run(ROOT / playbook).items():
        unknown = set(variables) - set(options(name.removeprefix(f"{NAMESPACE}.")))
        assert not unknown, f"{playbook}: {name} has no such variable, so nothing would happen: {sorted(unknown)}"


@by_playbook
def test_what_a_playbook_hands_over_is_an_option_of_the_entry_point(playbook: str) -> None:
    for name, entry, variables in entries_run(ROOT / playbook):
        known = entry_points(name.removeprefix(f"{NAMESPACE}.")).get(entry)
        assert known, f"{playbook}: {name} has no entry point {entry} in meta/argument_specs.yml"
        unknown = variables - set(known.get("options") or {})
        assert not unknown, f"{playbook}: {entry} of {name} does not say that it takes {sorted(unknown)}"


@by_playbook
def test_what_a_playbook_asks_of_the_inventory_is_in_the_example(playbook: str) -> None:
    plays = load(playbook)
    groups = {name for play in plays for name in names(str(play.get("hosts", "")))}
    used = {name for text in texts(plays) for name in names(text) if owner(name) == "capacity"}
    unset = used - groups - set(inventory("example"))
    assert not unset, f"{playbook}: set these in inventories/example, so that people see them: {sorted(unset)}"
    # Which hosts a play is for is decided before any inventory variable is known, so these come with --extra-vars.
    head = "".join(re.findall(r"^#.*\n", (ROOT / playbook).read_text("utf-8"), flags=re.MULTILINE))
    unsaid = {name for name in groups if f"-e {name}=" not in head}
    assert not unsaid, f"{playbook}: say in a comment that `-e NAME=…` sets these: {sorted(unsaid)}"


@by_inventory
def test_an_inventory_sets_nothing_that_nobody_reads(name: str) -> None:
    used = {word for playbook in PLAYBOOKS for text in texts(load(playbook)) for word in names(text)}
    known = {option for role in ROLES for option in options(role)} | used
    unread = {variable for variable in inventory(name) if owner(variable)} - known
    assert not unread, f"inventories/{name}: no role has and no playbook reads these, correct them: {sorted(unread)}"


def test_other_collections_are_dependencies() -> None:
    trees: dict[str, Any] = {playbook: load(playbook) for playbook in PLAYBOOKS}
    trees |= {path: data or [text] for role in ROLES for path, text, data in role_files(role, *CODE)}
    allowed = {"ansible.builtin", NAMESPACE, *load("galaxy.yml")["dependencies"]}
    for path, tree in trees.items():
        # Modules are keys; filters, tests and lookups are in Jinja.
        keys = {key for part in dicts(tree) for key in part if re.fullmatch(r"[a-z_]+\.[a-z_]+\.[a-z_0-9]+", str(key))}
        jinja = {name for text in texts(tree) for name in re.findall(r"(?:\||\bis|lookup\(')\s*(\w+\.\w+\.\w+)", text)}
        foreign = {name.rpartition(".")[0] for name in keys | jinja} - allowed
        assert not foreign, f"{path}: galaxy.yml does not depend on {sorted(foreign)}: add it there, or do without"


# The collection as a whole


def test_the_newest_release_in_the_changelog_is_this_version() -> None:
    releases = (load("changelogs/changelog.yaml") or {}).get("releases", {})
    newest = max(releases, key=lambda version: [int(part) for part in version.split(".")], default=None)
    version = load("galaxy.yml")["version"]
    assert newest == version, (
        f"galaxy.yml says {version}, the changelog ends with {newest}: `antsibull-changelog release`"
    )
    assert f"v{version}\n" in (ROOT / "CHANGELOG.rst").read_text("utf-8"), (
        "`antsibull-changelog generate`, and commit it"
    )


@pytest.mark.parametrize(("kind", "name"), [("module", name) for name in MODULES] + [("role", name) for name in ROLES])
def test_the_changelog_tells_of_what_is_new(kind: str, name: str) -> None:
    described = (
        documentation(name)
        if kind == "module"
        else load(f"roles/{name}/meta/argument_specs.yml")["argument_specs"]["main"]
    )
    since = described["version_added"]
    release = (load("changelogs/changelog.yaml") or {}).get("releases", {}).get(since, {})
    told = release.get("modules", []) if kind == "module" else release.get("objects", {}).get("role", [])
    assert name in [entry["name"] for entry in told], (
        f"{name} says version_added {since}, whose release does not name it: "
        "`antsibull-changelog release --update-existing --reload-plugins`, and commit what it writes"
    )


def test_an_execution_environment_gets_what_is_tested() -> None:
    files = load("meta/execution-environment.yml")["dependencies"]
    missing = [file for file in files.values() if not (ROOT / file).is_file()]
    assert not missing, f"meta/execution-environment.yml names files that are not there: {missing}"
    lines = (ROOT / "requirements/run.txt").read_text("utf-8").splitlines()
    pins = {pin.name: pin.specifier for pin in map(Requirement, (line for line in lines if re.match(r"\w", line)))}
    for line in (ROOT / files["python"]).read_text("utf-8").splitlines():
        if re.match(r"\w", line):
            wanted = Requirement(line)
            assert wanted.name in pins, (
                f"{files['python']}: requirements/run.txt does not pin {wanted.name}: add it there"
            )
            tested = next(iter(pins[wanted.name])).version
            assert wanted.specifier.contains(tested), (
                f"{files['python']}: {wanted} leaves out {tested}, which is tested"
            )


def test_the_example_s_alerts_can_be_had() -> None:
    """Values of a vault are looked at as what they are there for."""
    variables = yaml.safe_load(
        (ROOT / "inventories/example/group_vars/postgres.yml")
        .read_text()
        .replace("{{ vault_slack_webhook }}", "https://hooks.example.org/x")
    )
    assert channels.read(variables["monitoring_cron_channels"])[1] == []
    assert table.read(variables["capacity_thresholds"])[1] == []
