"""An eni-config ConfigMap as the rules see it: each embedded JSON parsed and decoded once."""

from __future__ import annotations

import bisect
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from webhook.eni import credentials, fields, jsontext, shapes
from webhook.eni.fields import CNI_CONF, CNI_CONFLIST, ENI_CONF
from webhook.eni.jsontext import JsonError, Node
from webhook.eni.shapes import Mismatch, Path
from webhook.findings import Finding, Level, ObjectRef

Mode = Literal["inline", "secret-or-inline", "off"]
_DEPTH_SHOWN = 8  # a path is cut here: 10,000 levels would make 10,000 long paths


class Lines:
    """Where the lines of a text start; found once, on the first question."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts: list[int] = []

    def at(self, offset: int) -> tuple[int, int]:
        """Return line and column (1-based) of an offset."""
        starts = self._index()
        line = bisect.bisect_right(starts, offset)
        return line, offset - starts[line - 1] + 1

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a line and column."""
        return self._index()[line - 1] + column - 1

    def _index(self) -> list[int]:
        if not self._starts:
            ends = (at for at, char in enumerate(self._text) if char == "\n")
            self._starts = [0, *(end + 1 for end in ends)]
        return self._starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """One JSON text in the ConfigMap. `root` is None when it is missing, blank or broken."""

    key: str
    text: str = ""
    root: Node | None = None
    error: JsonError | None = None
    lines: Lines = field(default_factory=lambda: Lines(""))
    _members: dict[int, dict[str, Node]] = field(default_factory=dict, compare=False)

    @property
    def fields(self) -> Mapping[str, Node] | None:
        """The members of the object, {} for null; None when there is no such object."""
        if self.root is None or self.root.kind not in ("object", "null"):
            return None
        return self.members(self.root)

    def members(self, node: Node) -> Mapping[str, Node]:
        """Return an object's members, indexed once however often they are asked for."""
        known = self._members.get(id(node))
        if known is None:
            known = self._members[id(node)] = node.members()
        return known

    def find(self, path: Path) -> Node | None:
        """Return the node at a path, or its nearest ancestor below the top; None without any."""
        node, found = self.root, None
        for step in path:
            node = None if node is None else self._step(node, step)
            if node is None:
                break
            found = node
        return found

    def get(self, name: str) -> Node | None:
        """Return a top-level member."""
        return (self.fields or {}).get(name)

    def raw(self, path: Path) -> str | None:
        """Return the text of a top-level member, None where there is none."""
        node = self.get(str(path[0])) if path else self.root
        return None if node is None else self.text[node.start : node.end]

    def _step(self, node: Node, step: str | int) -> Node | None:
        if isinstance(step, str):
            return self.members(node).get(step)
        inside = node.kind == "array" and step < len(node.value)
        return node.value[step] if inside else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What a rule found: where, what and why, and what to write.

    `path` begins with the embedded document (`eni_conf`, `10-terway.conf`) or with a field of the
    ConfigMap (`data`, `binaryData`). `node` says the place in the text where it is not the path's.
    """

    path: Path
    message: str
    fix: str
    node: Node | None = None
    level: Level | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What no document can tell of itself; None where nobody looked.

    `crds`: the plurals served under crd.projectcalico.org. `base`: the eni-config beside an
    override, `merged` what the rules say of both merged. `named`: the ConfigMaps that node labels
    name, `overrides` the ConfigMaps there are that hold an eni_conf.
    """

    crds: frozenset[str] | None = None
    base: EniDocument | None = None
    merged: tuple[Finding, ...] = ()
    named: Mapping[str, int] | None = None
    overrides: frozenset[str] = frozenset()


NOTHING_AROUND = Around()


@dataclass(frozen=True, slots=True, kw_only=True)
class EniDocument:
    """What a rule may look at.

    `values` is eni_conf as Terway decodes it, every field with Go's zero value where it is absent;
    None when eni_conf is no JSON object. `partial`: a node-level override, of which nothing is
    required. `before`: the stored document an update replaces. `flaws`: what is wrong with each
    credential.
    """

    ref: ObjectRef | None = None
    data: Mapping[str, Any]
    binary: Mapping[str, Any]
    annotations: Mapping[str, Any]
    immutable: bool
    mode: Mode
    partial: bool
    deleting: bool
    conf: Embedded
    cni: Embedded
    values: Mapping[str, Any] | None
    mismatches: tuple[Mismatch, ...]
    flaws: Mapping[str, credentials.Flaw]
    secrets: frozenset[str]
    before: EniDocument | None = None
    around: Around = NOTHING_AROUND

    @property
    def required(self) -> Mapping[str, Any] | None:
        """The values, where a key may not be missing: not in an override."""
        return None if self.partial else self.values

    def has(self, name: str) -> bool:
        """Tell whether eni_conf sets a field to something other than null."""
        node = self.conf.get(name)
        return node is not None and node.kind != "null"

    def mistyped(self, name: str) -> bool:
        """Tell whether a field has a type that Go refuses; ENI010 says so, others stay silent."""
        return any(mismatch.path[0] == name for mismatch in self.mismatches)

    def blank(self, name: str) -> bool:
        """Tell whether a text of this name is missing or blank in the ConfigMap's data."""
        value = self.data.get(name)
        return value is None or (isinstance(value, str) and not value.strip())

    def embedded(self) -> tuple[Embedded, ...]:
        """The JSON texts that are judged."""
        return (self.conf, self.cni)

    def plugins(self) -> Iterator[tuple[Path, Node]]:
        """Yield the objects of the CNI file that describe a plugin, with their paths."""
        root = self.cni.root
        if root is None or root.kind != "object":
            return
        listed = self.cni.get("plugins")
        if listed is None and self.cni.key == CNI_CONF:
            yield (self.cni.key,), root
        elif listed is not None and listed.kind == "array":
            for index, item in enumerate(listed.value):
                if item.kind == "object":
                    yield (self.cni.key, "plugins", index), item

    def terway(self) -> Iterator[tuple[Path, Mapping[str, Node]]]:
        """Yield the plugins that are Terway's, or are meant to be."""
        for path, plugin in self.plugins():
            members = self.cni.members(plugin)
            kind = members.get("type")
            is_other = kind is not None and kind.kind == "string"
            if kind is None or not is_other or kind.value.lower().startswith("terway"):
                yield path, members

    def raw(self, path: Path) -> object:
        """Return what stands at the first two steps of a path, to be compared with another."""
        for embedded in self.embedded():
            if path[0] == embedded.key:
                return embedded.raw(path[1:2])
        return self.data.get(str(path[1])) if path[0] == "data" and len(path) > 1 else None


def objects(embedded: Embedded) -> Iterator[tuple[Path, Node]]:
    """Yield every object of a document with its path; no recursion, no path over 8 steps."""
    waiting: list[tuple[Path, Node]] = [((embedded.key,), embedded.root)] if embedded.root else []
    while waiting:
        path, node = waiting.pop()
        if node.kind == "object":
            yield path, node
            waiting.extend((_below(path, key.value), value) for key, value in reversed(node.value))
        elif node.kind == "array":
            waiting.extend((_below(path, at), item) for at, item in enumerate(node.value))


def strings(embedded: Embedded) -> Iterator[tuple[Path, Node]]:
    """Yield every string value of a document with its path."""
    waiting: list[tuple[Path, Node]] = [((embedded.key,), embedded.root)] if embedded.root else []
    while waiting:
        path, node = waiting.pop()
        if node.kind == "string":
            yield path, node
        elif node.kind == "object":
            waiting.extend((_below(path, key.value), value) for key, value in reversed(node.value))
        elif node.kind == "array":
            pairs = reversed(list(enumerate(node.value)))
            waiting.extend((_below(path, at), item) for at, item in pairs)


def _below(path: Path, step: str | int) -> Path:
    return (*path, step) if len(path) < _DEPTH_SHOWN else path


def read(  # a document and what is known around it
    config_map: Mapping[str, Any],
    mode: Mode,
    *,
    ref: ObjectRef | None = None,
    partial: bool = False,
    deleting: bool = False,
    before: EniDocument | None = None,
    around: Around = NOTHING_AROUND,
) -> EniDocument:
    """Parse and decode a ConfigMap once for all rules."""
    data = _mapping(config_map.get("data"))
    metadata = _mapping(config_map.get("metadata"))
    conf = _embedded(data, ENI_CONF, keep_blank=partial)
    values, mismatches = _decoded(conf)
    return EniDocument(
        ref=ref,
        data=data,
        binary=_mapping(config_map.get("binaryData")),
        annotations=_mapping(metadata.get("annotations")),
        immutable=config_map.get("immutable") is True,
        mode=mode,
        partial=partial,
        deleting=deleting,
        conf=conf,
        cni=Embedded(key=CNI_CONF) if partial else _cni(data),
        values=values,
        mismatches=mismatches,
        flaws={} if mode == "off" or values is None else credentials.flaws(values),
        secrets=credentials.secrets(conf.root, data),
        before=before,
        around=around,
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _cni(data: Mapping[str, Any]) -> Embedded:
    """Return the CNI file that terway-cli uses: the list where the key exists, even blank."""
    if isinstance(data.get(CNI_CONFLIST), str):
        return _embedded(data, CNI_CONFLIST, keep_blank=True)
    return _embedded(data, CNI_CONF)


def _embedded(data: Mapping[str, Any], key: str, *, keep_blank: bool = False) -> Embedded:
    text = data.get(key)
    if not isinstance(text, str) or not text or not (keep_blank or text.strip()):
        return Embedded(key=key)
    lines = Lines(text)
    try:
        return Embedded(key=key, text=text, root=jsontext.parse(text), lines=lines)
    except JsonError as error:
        return Embedded(key=key, text=text, error=error, lines=lines)


def _decoded(conf: Embedded) -> tuple[Mapping[str, Any] | None, tuple[Mismatch, ...]]:
    """Return eni_conf as the daemon has it, and what the daemon or the init container refuses.

    The init container ignores case, so it meets every mistake that the daemon meets, and more.
    """
    if conf.fields is None or conf.root is None:
        return None, ()
    values, mismatches = shapes.decode(fields.CONFIG, conf.root)
    if any(True for _ in shapes.unknown(fields.CONFIG, conf.root)):
        mismatches = shapes.decode(fields.CONFIG, conf.root, fold=True)[1]
    return values, tuple(mismatches)


def with_root(base: EniDocument, root: Node) -> EniDocument:
    """Return eni-config with another parsed eni_conf in it, which has no text of its own."""
    conf = Embedded(key=ENI_CONF, root=root)
    values, mismatches = _decoded(conf)
    flaws = {} if base.mode == "off" or values is None else credentials.flaws(values)
    return replace(base, conf=conf, values=values, mismatches=mismatches, flaws=flaws)
