"""What a pod spec's containers are started with: environment and flags, as Kubernetes sets them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Protocol

from webhook.detect.texts import truth, word
from webhook.workloads import mapping_of, mappings

_SHELLS = {"sh", "bash", "ash", "dash"}
_REFERENCE = re.compile(r"\$\((\w[\w.-]*)\)")  # as Kubernetes expands it
_SHELL_REFERENCE = re.compile(r"\$\{?(\w+)\}?")


class ConfigMaps(Protocol):
    """Where values from ConfigMaps come from."""

    def data(self, name: str) -> Mapping[str, str] | None:
        """Return the data of the ConfigMap of this name in the pod's namespace, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A value and where it stands. `value` is None where it comes from something not seen."""

    value: str | None
    where: str


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag: what stands behind its `=`, and the word that follows it."""

    inline: str | None
    following: str | None


@dataclass(slots=True)
class Started:
    """The environment and the flags of a pod spec.

    A variable of the first container that has it counts; a flag that stands twice, the second time.
    """

    env: dict[str, Setting] = field(default_factory=dict)
    flags: dict[str, Flag] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return a flag's value, `--flag=value` or `--flag value`; None where it is not given."""
        flag = self.flags.get(name)
        if flag is None:
            return None
        return flag.inline if flag.inline is not None else (flag.following or "")

    def switch(self, name: str, *, default: bool) -> bool | None:
        """Return a boolean flag: alone it is true, as pflag reads it. None where it is no boolean.

        A boolean flag takes no following word.
        """
        flag = self.flags.get(name)
        if flag is None:
            return default
        return True if flag.inline is None else truth(flag.inline)


def started(pod_spec: Mapping[str, Any], config_maps: ConfigMaps) -> Started:
    """Read the environment of all containers, and the flags of those that keep running."""
    found = Started()
    for init, container in _containers(pod_spec):
        env = _environment(container, config_maps)
        for name, setting in env.items():
            found.env.setdefault(name, setting)
        if not init:
            for name, flag in _flags(_words(container, env)):
                found.flags[name] = flag
    return found


def config_maps(pod_spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the ConfigMaps that a pod spec's environment and volumes refer to."""
    for _, container in _containers(pod_spec):
        for source in mappings(container.get("envFrom")):
            yield word(mapping_of(source.get("configMapRef")).get("name"))
        for variable in mappings(container.get("env")):
            reference = mapping_of(mapping_of(variable.get("valueFrom")).get("configMapKeyRef"))
            yield word(reference.get("name"))
    yield from mounted(pod_spec)


def mounted(pod_spec: Mapping[str, Any]) -> Iterator[str]:
    """Yield the names of the ConfigMaps that the pods mount, projected ones too."""
    for volume in mappings(pod_spec.get("volumes")):
        for source in (volume, *mappings(mapping_of(volume.get("projected")).get("sources"))):
            name = word(mapping_of(source.get("configMap")).get("name"))
            if name:
                yield name


def containers(pod_spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the containers that keep running."""
    return [container for init, container in _containers(pod_spec) if not init]


def _containers(pod_spec: Mapping[str, Any]) -> Iterator[tuple[bool, Mapping[str, Any]]]:
    for key in ("containers", "initContainers"):
        for container in mappings(pod_spec.get(key)):
            yield key == "initContainers", container


def _environment(container: Mapping[str, Any], config_maps: ConfigMaps) -> dict[str, Setting]:
    name = word(container.get("name"))
    found: dict[str, Setting] = {}
    for source in mappings(container.get("envFrom")):
        reference = mapping_of(source.get("configMapRef"))
        of = word(reference.get("name"))
        for key, value in (config_maps.data(of) or {}).items() if of else ():
            where = f"ConfigMap {of}, environment of {name}"
            found[word(source.get("prefix")) + key] = Setting(value=value, where=where)
    for variable in mappings(container.get("env")):
        key = word(variable.get("name"))
        setting = _variable(variable, name, config_maps)
        if setting is not None:
            found[key] = setting
    return found


def _variable(
    variable: Mapping[str, Any], container: str, config_maps: ConfigMaps
) -> Setting | None:
    if "valueFrom" not in variable or variable.get("value"):
        return Setting(value=word(variable.get("value")), where=f"environment of {container}")
    reference = mapping_of(mapping_of(variable["valueFrom"]).get("configMapKeyRef"))
    if not reference:
        return None  # a field of the pod, or a Secret
    name, key = word(reference.get("name")), word(reference.get("key"))
    data = config_maps.data(name)
    where = f"ConfigMap {name}, key {key}"
    if data is None:
        return None if reference.get("optional") is True else Setting(value=None, where=where)
    return Setting(value=data[key], where=where) if key in data else None


def _words(container: Mapping[str, Any], env: Mapping[str, Setting]) -> list[str]:
    """Return command and args, variables expanded; what a shell runs is split as a shell does."""
    words = [
        _REFERENCE.sub(lambda match: _expanded(match, env), item)
        for key in ("command", "args")
        for item in strings(container.get(key))
    ]
    if not words or words[0].rpartition("/")[2] not in _SHELLS:
        return words
    script = (_SHELL_REFERENCE.sub(lambda match: _expanded(match, env), item) for item in words)
    return [part for item in script for part in _split(item)]


def _expanded(match: re.Match[str], env: Mapping[str, Setting]) -> str:
    setting = env.get(match[1])
    return match[0] if setting is None or setting.value is None else setting.value


def _split(script: str) -> list[str]:
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|()")
    lexer.whitespace_split = True
    try:
        return list(lexer)
    except ValueError:
        return script.split()


def _flags(words: list[str]) -> Iterator[tuple[str, Flag]]:
    """Yield flags; one dash or two, as Go's flag package takes both."""
    for item, following in zip_longest(words, words[1:]):
        if item.startswith("-") and item.strip("-"):
            name, equals, value = item.lstrip("-").partition("=")
            after = None if (following or "-").startswith("-") else following
            yield name, Flag(value if equals else None, after)


def strings(value: Any) -> list[str]:
    """Return the strings in a list, or nothing for anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
