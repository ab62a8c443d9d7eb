"""Reads YAML so that every complaint can name its line. Faults are collected, so that one reading lists them all."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from datetime import time
from typing import NoReturn

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from app.errors import BadPlaybook

LONGEST = 512 * 1024


class Faults:
    """What is wrong with one file, in the order of its lines."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[tuple[int, str]] = []

    def add(self, line: int, what: str) -> None:
        if (line, what) not in self._found:
            self._found.append((line, what))

    def at(self, node: Node, what: str) -> None:
        self.add(node.start_mark.line + 1, what)

    def stop_if_any(self) -> None:
        """Raises BadPlaybook with one sentence per fault."""
        if self._found:
            raise BadPlaybook("\n".join(f"{self._file}, line {line}: {what}" for line, what in sorted(self._found)))


def compose(text: str, file: str) -> MappingNode:
    """The file's top mapping. Raises BadPlaybook."""
    faults = Faults(file)
    if len(text) > LONGEST:
        faults.add(1, f"the file is longer than {LONGEST // 1024} KiB; split the business into several playbooks.")
        faults.stop_if_any()
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context or "not YAML"
        _fail(
            faults, mark.line + 1 if mark else 1, f"this is not YAML: {problem}. Check indentation, colons and quotes."
        )
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        _fail(faults, line, "there is a control character here; delete it.")
    except RecursionError:
        _fail(faults, 1, "the brackets are nested too deeply; write it flatter.")
    if not isinstance(node, MappingNode):
        _fail(faults, 1, "the file must be a mapping that starts like `playbook: my_business`.")
    return node


def _fail(faults: Faults, line: int, what: str) -> NoReturn:
    faults.add(line, what)
    faults.stop_if_any()
    raise AssertionError("unreachable")


class Fields:
    """One mapping being read. Each method takes a key; what nobody took by `done` is an unknown key.

    A value that cannot be used becomes a harmless stand-in and a fault: reading goes on to find the rest.
    """

    def __init__(self, node: Node, where: str, faults: Faults) -> None:
        self.where, self.faults, self._node = where, faults, node
        self._values: dict[str, tuple[Node, Node]] = {}
        self._taken: list[str] = []
        if not isinstance(node, MappingNode):
            faults.at(node, f"{where} must be a mapping of `key: value` lines.")
            return
        for key, value in node.value:
            if not isinstance(key, ScalarNode):
                faults.at(key, f"a key in {where} must be a plain word.")
            elif key.value in self._values:
                first = self._values[key.value][0].start_mark.line + 1
                faults.at(key, f"`{key.value}` is there twice in {where} (first on line {first}); keep one.")
            else:
                self._values[key.value] = (key, value)

    @property
    def line(self) -> int:
        return self._node.start_mark.line + 1

    def line_of(self, key: str) -> int:
        return self._values[key][0].start_mark.line + 1 if key in self._values else self.line

    def has(self, key: str) -> bool:
        return key in self._values

    def take(self, key: str, *, needed: bool = True) -> Node | None:
        self._taken.append(key)
        found = self._values.get(key)
        if found is None or found[1].tag == "tag:yaml.org,2002:null":
            if needed:
                self.faults.add(self.line_of(key), f"{self.where} needs `{key}`; add it.")
            return None
        return found[1]

    def text(self, key: str, default: str | None = None) -> str:
        """One line of text; needed unless there is a default."""
        node = self.take(key, needed=default is None)
        if node is None:
            return default or ""
        if not isinstance(node, ScalarNode):
            self.faults.at(node, f"`{key}` in {self.where} must be text, not a list or mapping.")
            return default or ""
        value = " ".join(str(node.value).split())
        if not value and default is None:
            self.faults.at(node, f"`{key}` in {self.where} is empty; write something.")
        return value

    def texts(self, key: str, *, needed: bool = True) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        node = self.take(key, needed=needed)
        if node is None:
            return ()
        items = node.value if isinstance(node, SequenceNode) else [node]
        found: list[str] = []
        for item in items:
            if isinstance(item, ScalarNode) and str(item.value).strip():
                found.append(" ".join(str(item.value).split()))
            else:
                self.faults.at(item, f"`{key}` in {self.where} must be a list of texts.")
        if needed and not items:
            self.faults.at(node, f"`{key}` in {self.where} is empty; add at least one.")
        return tuple(found)

    def number(self, key: str, default: float | None = None) -> float:
        node = self.take(key, needed=default is None)
        if node is None:
            return default or 0
        return self.as_number(node, key)

    def as_number(self, node: Node, key: str) -> float:
        try:
            if isinstance(node, ScalarNode):
                return float(str(node.value).replace("_", ""))
        except ValueError:
            pass
        self.faults.at(node, f"`{key}` in {self.where} must be a number, like 120.")
        return 0

    def pair(self, key: str, default: tuple[float, float]) -> tuple[float, float]:
        """Two numbers, the smaller first."""
        node = self.take(key, needed=False)
        if node is None:
            return default
        if not isinstance(node, SequenceNode) or len(node.value) != 2:
            self.faults.at(node, f"`{key}` in {self.where} must be two numbers, like [10, 5000].")
            return default
        low, high = (self.as_number(item, key) for item in node.value)
        if low >= high:
            self.faults.at(node, f"`{key}` in {self.where} must have the smaller number first.")
        return low, high

    def flag(self, key: str, default: bool) -> bool:
        node = self.take(key, needed=False)
        if node is None:
            return default
        if isinstance(node, ScalarNode) and node.value.lower() in {"true", "false"}:
            return bool(node.value.lower() == "true")
        self.faults.at(node, f"`{key}` in {self.where} must be true or false.")
        return default

    def one_of(self, key: str, known: Collection[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value and value not in known:
            self.faults.add(self.line_of(key), f"`{key}` in {self.where}: {unknown(value, known)}")
        return value

    def some_of(self, key: str, known: Collection[str], *, needed: bool = True) -> tuple[str, ...]:
        values = self.texts(key, needed=needed)
        for value in values:
            if value not in known:
                self.faults.add(self.line_of(key), f"`{key}` in {self.where}: {unknown(value, known)}")
        return tuple(value for value in values if value in known)

    def times(self, key: str) -> tuple[time, ...]:
        """Times of day written "HH:MM", quoted or not."""
        found = []
        for value in self.texts(key, needed=False):
            hour, _, minute = value.partition(":")
            if hour.isdecimal() and minute.isdecimal() and int(hour) < 24 and int(minute) < 60:
                found.append(time(int(hour), int(minute)))
            else:
                self.faults.add(self.line_of(key), f'`{key}` in {self.where}: {value!r} is not a time like "14:00".')
        return tuple(found)

    def fields(self, key: str, *, needed: bool = True) -> Fields | None:
        node = self.take(key, needed=needed)
        return (
            None
            if node is None
            else Fields(node, f"{self.where}.{key}" if self.where != "the file" else key, self.faults)
        )

    def each(self, key: str, *, needed: bool = True) -> Iterator[tuple[str, Fields]]:
        """The named mappings under a key, in the order of the file."""
        group = self.fields(key, needed=needed)
        if group is None:
            return
        if needed and not group._values:
            self.faults.add(self.line_of(key), f"`{key}` in {self.where} is empty; add at least one.")
        for name, (_, value) in group._values.items():
            yield name, Fields(value, f"{group.where}.{name}", self.faults)

    def items(self, key: str) -> Iterator[Fields]:
        """The mappings of a list."""
        node = self.take(key)
        if node is None:
            return
        if not isinstance(node, SequenceNode) or not node.value:
            self.faults.at(node, f"`{key}` in {self.where} must be a list with at least one entry.")
            return
        for number, item in enumerate(node.value, start=1):
            yield Fields(item, f"{self.where}.{key}[{number}]", self.faults)

    def done(self) -> None:
        """Whatever was not taken is unknown."""
        for name, (key, _) in self._values.items():
            if name not in self._taken:
                self.faults.at(key, f"unknown key `{name}` in {self.where}; {unknown(name, self._taken)}")


def unknown(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"{word!r} is not known; did you mean {near[0]!r}?" if near else f"it knows {', '.join(known)}."
