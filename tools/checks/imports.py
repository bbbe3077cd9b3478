#!/usr/bin/env python3
"""Prints which modules of each crate import which, and fails where they do so in a circle.

    tools/checks/imports.py [--graph] [ROOT]

A module is a file. It imports another where it names it: in a `use`, or in a path that starts with `crate`, `self`,
`super` or a module declared in the file. An item that a module passes on by `use` is followed to where it is defined:
that is what is imported. `mod` itself is no import, and code of #[cfg(test)] is left out. --graph prints all edges.
"""

import sys
from pathlib import Path

from rust import attributes_before, tokens


DEFINE = {"fn", "struct", "enum", "union", "trait", "type", "const", "static"}


class Module:
    """A file: its path of modules, and the paths that it names."""

    def __init__(self, name, path):
        self.name, self.path = name, path
        self.tokens = tokens(path.read_text(encoding="utf-8"))
        self.hidden = []  # ranges of test code
        self.tests = set()  # test modules in files of their own
        self.inner = []  # inline modules: (start, end, name)
        self.children = set()
        self.defined = {
            after.text
            for token, after in zip(self.tokens, self.tokens[1:])
            if token.text in DEFINE and after.kind == "word"
        } | {self.tokens[at + 2].text for at, t in enumerate(self.tokens[:-2]) if t.text == "macro_rules"}
        for at, token in enumerate(self.tokens[:-2]):
            if token.kind != "word":
                continue
            is_test = any(a == "cfg(test)" for a in self.attributes(at))
            if token.text == "mod" and self.tokens[at + 1].kind == "word":
                child, after = self.tokens[at + 1].text, self.tokens[at + 2]
                if after.text == ";":
                    self.children.add(child)
                    if is_test:
                        self.tests.add(child)
                elif after.text == "{":
                    self.inner.append((at + 2, after.match, child))
                    if is_test:
                        self.hidden.append((at, after.match))
            elif is_test and token.text in ("fn", "impl", "use", "const", "static", "struct"):
                end = at
                while self.tokens[end].text not in ("{", ";"):
                    end = self.tokens[end].match + 1 if self.tokens[end].text in ("(", "[") else end + 1
                self.hidden.append((at, max(end, self.tokens[end].match)))

    def attributes(self, at):
        while at and (self.tokens[at - 1].text in ("pub", "unsafe", "const", "async") or self.restricts(at)):
            at = self.tokens[at - 1].match - 1 if self.restricts(at) else at - 1
        return attributes_before(self.tokens, at)

    def restricts(self, at):
        """Whether `pub(...)` stands before a token."""
        return self.tokens[at - 1].text == ")" and self.tokens[self.tokens[at - 1].match - 1].text == "pub"

    def passed_on(self):
        """What a `use` outside of inline modules brings in: names, and the paths of globs."""
        if not hasattr(self, "_passed_on"):
            names, globs = {}, []
            for at, token in enumerate(self.tokens[:-1]):
                if token.text == "use" and token.kind == "word" and self.tokens[at + 1].text != "<":
                    if any(start < at < end for start, end, _ in self.inner):
                        continue
                    for path, name in use_tree(self.tokens, at + 1, ())[0]:
                        if path[-1] == "*":
                            globs.append(path[:-1])
                        elif name != path[0]:
                            names[name] = path
            self._passed_on = names, globs
        return self._passed_on

    def named(self):
        """Paths that are named, each with its line and the inline modules around it."""
        at = 0
        while at < len(self.tokens):
            token = self.tokens[at]
            if any(start <= at <= end for start, end in self.hidden):
                at += 1
                continue
            if token.text == "pub" and self.tokens[at + 1].text == "(":
                at = self.tokens[at + 1].match + 1  # pub(in crate::...)
                continue
            depth = sum(start < at < end for start, end, _ in self.inner)
            if token.kind == "word" and token.text == "use" and self.tokens[at + 1].text != "<":
                paths, at = use_tree(self.tokens, at + 1, ())
                for path, _ in paths:
                    yield path, token.line, depth
                continue
            if token.kind == "word" and self.tokens[at - 1].text != "::" and at + 1 < len(self.tokens):
                if self.tokens[at + 1].text == "::" and not (at and self.tokens[at - 1].text == "."):
                    path, at = plain_path(self.tokens, at)
                    yield path, token.line, depth
                    continue
            at += 1


def plain_path(all_tokens, at):
    words = [all_tokens[at].text]
    while at + 2 < len(all_tokens) and all_tokens[at + 1].text == "::" and all_tokens[at + 2].kind == "word":
        at += 2
        words.append(all_tokens[at].text)
    return tuple(words), at + 1


def use_tree(all_tokens, at, before):
    """The paths of a `use` from an index on with the names that they get, and the index behind it."""
    words, name = list(before), None
    while True:
        token = all_tokens[at]
        if token.text == "{":
            paths, inner = [], at + 1
            while inner < token.match:
                more, inner = use_tree(all_tokens, inner, tuple(words))
                paths += more
                if all_tokens[inner].text == ",":
                    inner += 1
            return paths, token.match + 1
        if token.text == "as":
            name = all_tokens[at + 1].text
            at += 2
        elif token.text == "*":
            words.append("*")
            at += 1
        elif token.text == "::":
            at += 1
        elif token.kind == "word":
            words.append(token.text)
            at += 1
        else:
            break
    if words and words[-1] == "self" and len(words) > 1:
        words.pop()
    return [(tuple(words), name or words[-1])] if words else [], at


def modules_of(source, main):
    """The modules of a crate by their paths, its test modules left out."""
    found = {}

    def add(name, path):
        module = found[name] = Module(name, path)
        folder = path.parent if path.name in ("mod.rs", main.name) and path.stem in ("mod", main.stem) else (
            path.parent / path.stem
        )
        for child in module.children - module.tests:
            for candidate in (folder / f"{child}.rs", folder / child / "mod.rs"):
                if candidate.exists():
                    add((*name, child), candidate)

    add((), main)
    return found


def imports_of(modules):
    """Edges between modules, each with the first line that makes it."""
    edges = {}
    for name, module in modules.items():
        for path, line, depth in module.named():
            target = resolve(modules, name, path, depth)
            if target is not None and target != name:
                edges.setdefault((name, target), line)
    return edges


def resolve(modules, name, path, depth, seen=()):
    """The module in which what a path names is defined; None where that is outside the crate."""
    first, rest = path[0], list(path[1:])
    if first == "crate":
        at = ()
    elif first == "self":
        at = name
    elif first == "super":
        at, ups = name, 1
        while rest and rest[0] == "super":
            rest.pop(0)
            ups += 1
        for _ in range(ups):
            if depth:
                depth -= 1  # from an inline module to the file
            else:
                at = at[:-1]
    elif first in modules[name].children and (*name, first) in modules:
        at, rest = name, [first, *rest]
    else:
        return None
    while rest and (*at, rest[0]) in modules:
        at = (*at, rest.pop(0))
    if not rest or at not in modules or rest[0] in modules[at].defined or (at, rest[0]) in seen:
        return at if at in modules else None
    names, globs = modules[at].passed_on()
    seen = (*seen, (at, rest[0]))
    if rest[0] in names:
        return resolve(modules, at, (*names[rest[0]], *rest[1:]), 0, seen)
    for glob in globs:
        further = resolve(modules, at, (*glob, *rest), 0, seen)
        if further is not None and further != at and rest[0] in modules[further].defined:
            return further
    return at


def circles(nodes, edges):
    """The strongly connected components with more than one module (Tarjan)."""
    following = {node: [] for node in nodes}
    for a, b in edges:
        following[a].append(b)
    order, low, stack, found = {}, {}, [], []

    def visit(node):
        order[node] = low[node] = len(order)
        stack.append(node)
        for after in following[node]:
            if after not in order:
                visit(after)
                low[node] = min(low[node], low[after])
            elif after in stack:
                low[node] = min(low[node], order[after])
        if low[node] == order[node]:
            component = []
            while not component or component[-1] != node:
                component.append(stack.pop())
            if len(component) > 1:
                found.append(sorted(component))

    for node in nodes:
        if node not in order:
            visit(node)
    return found


def crates(root):
    """Name and main file of every crate."""
    for folder in sorted((root / "crates").iterdir()):
        for main in (folder / "src/lib.rs", folder / "src/main.rs"):
            if main.exists():
                yield folder.name, main
        for main in sorted(folder.glob("src/bin/*/main.rs")):
            yield f"{folder.name} (bin {main.parent.name})", main


def shown(name):
    return "::".join(name) or "crate"


def main():
    arguments = [a for a in sys.argv[1:] if a != "--graph"]
    graph = "--graph" in sys.argv
    root = Path(arguments[0] if arguments else Path(__file__).parents[2]).resolve()
    failed = count = 0
    for crate, main_file in crates(root):
        count += 1
        modules = modules_of(crate, main_file)
        edges = imports_of(modules)
        found = circles(list(modules), edges)
        failed += len(found)
        print(f"{crate}: {len(modules)} modules, {len(edges)} imports, {len(found)} circles")
        if graph:
            for a, b in sorted(edges):
                print(f"  {shown(a)} -> {shown(b)}")
        for circle in found:
            print(f"  a circle of {len(circle)}:")
            inside = [(a, b) for a, b in sorted(edges) if a in circle and b in circle]
            for a, b in inside:
                place = modules[a].path.relative_to(root)
                print(f"    {shown(a)} -> {shown(b)}   {place}:{edges[a, b]}")
    if not count:
        sys.exit(f"there are no crates in {root}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
