"""Run every rule over one eni-config and put what they find in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Any

from webhook.eni import document, quoting, rules
from webhook.eni.document import EniDocument, Fault, Finder
from webhook.eni.merge import MergeError, merge
from webhook.eni.shapes import Path
from webhook.findings import Finding, Level, Location
from webhook.patch import pointer

_ORDER = {rule: place for place, rule in enumerate(rules.RULES)}
_DELETION = "ENI140"
_STANDING = "ENI015"  # told at every write: it is about all that follow
_MOST = 100  # of a rule: a document with thousands of one mistake is made to cost time


@dataclass(frozen=True, slots=True)
class _Found:
    """A fault with its rule: (rule, level, path, message) say what it is."""

    rule: str
    level: Level
    fault: Fault

    def same(self) -> tuple[str, Level, Path, str]:
        return self.rule, self.level, self.fault.path, self.fault.message


def lint(read: EniDocument) -> tuple[Finding, ...]:
    """Return all findings, errors first, then by the rules' order, then by place.

    Of an update, warnings that the stored document has too are left out where their key did not
    change: whoever edits one field hears of that field.
    """
    found = list(_faults(read, (_DELETION,) if read.deleting else rules.RULES))
    if read.before is not None:
        found = list(_news(found, read, read.before))
    return _findings(found, read)


def lint_unchanged(read: EniDocument) -> tuple[Finding, ...]:
    """Return what a write hears that leaves all data as it is."""
    return _findings(_faults(read, (_STANDING,)), read)


def breaks(read: EniDocument, rule: str) -> bool:
    """Tell whether a document breaks one rule."""
    return any(True for _ in rules.RULES[rule].check(read))


def _news(found: list[_Found], read: EniDocument, before: EniDocument) -> Iterator[_Found]:
    known = {one.same() for one in _faults(before) if one.level is not Level.ERROR}
    unchanged: dict[Path, bool] = {}
    for one in found:
        place = one.fault.path[:2]
        if one.rule == _STANDING or one.same() not in known:
            yield one
            continue
        if place not in unchanged:
            unchanged[place] = read.raw(place) == before.raw(place)
        if not unchanged[place]:
            yield one


def _faults(read: EniDocument, names: Iterable[str] = rules.RULES) -> Iterator[_Found]:
    for name in names:
        rule = rules.RULES[name]
        faults = rule.check(read)
        first = next(faults, None)
        if first is None:
            continue
        for fault in (first, *islice(faults, _MOST - 1)):
            yield _Found(name, fault.level or rule.LEVEL, fault)
        further = next(faults, None)
        if further is not None:
            told = replace(further, message=f"{further.message}; further ones are not listed")
            yield _Found(name, further.level or rule.LEVEL, told)


def _findings(found: Iterable[_Found], read: EniDocument) -> tuple[Finding, ...]:
    finders = {embedded.key: Finder(embedded) for embedded in read.embedded()}
    return tuple(sorted((_finding(one, read, finders) for one in found), key=_order))


def _finding(one: _Found, read: EniDocument, finders: dict[str, Finder]) -> Finding:
    path = quoting.path_text(one.fault.path, read.secrets)
    return Finding(
        rule=one.rule,
        level=one.level,
        message=f"{path}: {one.fault.message}",
        fix=one.fault.fix,
        object=read.ref,
        location=_location(one.fault, read, finders),
    )


def _location(fault: Fault, read: EniDocument, finders: dict[str, Finder]) -> Location:
    """Return the place in the embedded text, or the field of the ConfigMap."""
    for embedded in read.embedded():
        if fault.path[0] == embedded.key:
            node = fault.node or finders[embedded.key].find(fault.path[1:])
            line, column = (None, None) if node is None else embedded.lines.at(node.start)
            return Location(line=line, column=column, pointer=f"/data/{embedded.key}")
    named = takewhile(lambda step: quoting.may_name(step, read.secrets), fault.path)
    return Location(pointer=pointer(tuple(named)))


def _order(finding: Finding) -> tuple[bool, int, int, int]:
    place = finding.location
    is_mild = finding.level is not Level.ERROR
    return (is_mild, _ORDER[finding.rule], place.line or 0, place.column or 0)


def merged(base: EniDocument, override: EniDocument) -> tuple[Finding, ...]:
    """Return the errors of eni-config with an override merged into it, as one document.

    Errors that eni-config has alone are its own. Nothing where either is no JSON.
    """
    if base.conf.root is None or override.conf.root is None:
        return ()
    try:
        root = merge(base.conf.root, override.conf.root)
    except MergeError:
        return ()
    whole = document.with_root(base, root)
    own = {one.same() for one in _faults(base)}
    found = (one for one in _faults(whole) if one.level is Level.ERROR and one.same() not in own)
    return _findings(found, whole)


def around(read: EniDocument, **known: Any) -> EniDocument:
    """Return the document with what is known around it; with a base, also merged and judged."""
    surroundings = replace(read.around, **known)
    if read.partial and surroundings.base is not None:
        surroundings = replace(surroundings, merged=merged(surroundings.base, read))
    return replace(read, around=surroundings)
