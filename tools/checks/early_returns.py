#!/usr/bin/env python3
"""Fails where a test can pass without having checked anything.

    tools/checks/early_returns.py [ROOT]

In every function with #[test]: an assertion must be certain to be reached (not inside an `if` without `else`, not behind
a `continue` or `break` of its loop), and no `return` or `?` may stand before it. Assertions are the macros assert..., panic,
unreachable and prop_assert..., and calls of test functions that hold one by the same rules. A test without them may
rely on unwrap or expect, if nothing in it returns. Loops are taken to run at least once, closures to be called.

No string of a crate's source may lead outside the repository either ("/../../../shared" from a crate's folder): what a test
needs is in the repository or made by it.
"""

import re
import sys
from pathlib import Path

from rust import attributes_before, tokens

MACROS = {
    "assert", "assert_eq", "assert_ne", "assert_matches", "panic", "unreachable",
    "prop_assert", "prop_assert_eq", "prop_assert_ne",
}  # fmt: skip
# From a crate's folder, two steps up are the root. What include_str! and its like take starts from the file.
OUTSIDE = re.compile(r'"/?(?:\.\./){3}')
UNWRAPS = {"unwrap", "expect", "unwrap_err", "expect_err"}


class Function:
    """A function of test code: the events in its body, in order."""

    def __init__(self, path, all_tokens, at):
        self.path, self.line, self.name = path, all_tokens[at].line, all_tokens[at + 1].text
        if self.name == "$":
            self.name = "$" + all_tokens[at + 2].text
        self.is_test = any(
            text == "test" or text.endswith("::test") for text in attributes(all_tokens, at)
        )
        self.body = body_of(all_tokens, at)
        # (kind, name, line, certain) with the kinds assertion, call, unwrap and return.
        self.events = list(events(all_tokens, *self.body)) if self.body else []

    def asserts(self, helpers):
        """The first certain assertion's place among the events, or None."""
        for index, (kind, name, _, certain) in enumerate(self.events):
            if certain and (kind == "assertion" or kind == "call" and helpers.asserts(self.path, name)):
                return index
        return None

    def fault(self, helpers):
        """What is wrong with it as a test, or None."""
        first = self.asserts(helpers)
        returns = [(index, event) for index, event in enumerate(self.events) if event[0] == "return"]
        if first is None:
            if returns:
                return f"returns in line {returns[0][1][2]} and has no assertion that is certain to be reached"
            if any(kind == "unwrap" and certain for kind, _, _, certain in self.events):
                return None
            return "has no assertion that is certain to be reached"
        if returns and returns[0][0] < first:
            return f"can return in line {returns[0][1][2]}, before its first assertion"
        return None


def attributes(all_tokens, at):
    """Attributes of the function whose `fn` is at an index."""
    modifiers = {"pub", "const", "async", "unsafe", "extern"}
    while at and (all_tokens[at - 1].text in modifiers or all_tokens[at - 1].kind == "string"):
        at -= 1
    return attributes_before(all_tokens, at)


def body_of(all_tokens, at):
    """The indices of the braces around a function's body."""
    while at < len(all_tokens):
        text = all_tokens[at].text
        if text == "{":
            return at, all_tokens[at].match
        if text == ";":
            return None
        at = all_tokens[at].match + 1 if text in ("(", "[") else at + 1
    return None


def closure_end(all_tokens, at):
    """Where `|` or `||` at an index opens a closure: the index behind its end; else None."""
    token, before = all_tokens[at], all_tokens[at - 1]
    if token.text not in ("|", "||"):
        return None
    if before.kind == "word" and before.text not in ("move", "return", "else", "in"):
        return None
    if before.kind in ("number", "string", "char") or before.text in (")", "]", "}", "?", "|"):
        return None
    at += 1
    if token.text == "|":
        while all_tokens[at].text != "|":
            if all_tokens[at].text in (";", ")", "]", "}", "=>"):
                return None  # a pattern or an operator
            at = all_tokens[at].match + 1 if all_tokens[at].text in ("(", "[", "{") else at + 1
        at += 1
    if all_tokens[at].text == "->":
        while all_tokens[at].text != "{":
            at += 1
    if all_tokens[at].text == "{":
        return all_tokens[at].match + 1
    while all_tokens[at].text not in (",", ";", ")", "]", "}"):
        at = all_tokens[at].match + 1 if all_tokens[at].text in ("(", "[", "{") else at + 1
    return at


def if_chain(all_tokens, at):
    """For an `if`: the blocks of its chain, and whether it ends with an `else`."""
    blocks = []
    while True:
        at += 1
        while all_tokens[at].text != "{":
            at = all_tokens[at].match + 1 if all_tokens[at].text in ("(", "[") else at + 1
        blocks.append((at, all_tokens[at].match))
        at = all_tokens[at].match + 1
        if at >= len(all_tokens) or all_tokens[at].text != "else":
            return blocks, False
        if all_tokens[at + 1].text != "if":
            return [*blocks, (at + 1, all_tokens[at + 1].match)], True
        at += 1


def events(all_tokens, start, end):
    """What happens in a body, with whether it is certain to happen."""
    doubtful = []  # ranges of tokens
    closures = []
    loops = []
    for at in range(start + 1, end):
        text = all_tokens[at].text
        if text in ("|", "||"):
            stop = closure_end(all_tokens, at)
            if stop:
                closures.append((at, stop))
        elif text == "fn" and all_tokens[at].kind == "word" and all_tokens[at + 1].kind == "word":
            inner = body_of(all_tokens, at)
            if inner:
                doubtful.append(inner)
                closures.append(inner)
        elif text == "if" and all_tokens[at - 1].text != "else" and not is_guard(all_tokens, at):
            blocks, whole = if_chain(all_tokens, at)
            if not whole:
                doubtful.extend(blocks)
        elif text == "else" and all_tokens[at - 1].text not in ("}",) and all_tokens[at + 1].text == "{":
            doubtful.append((at + 1, all_tokens[at + 1].match))  # let ... else
        elif text in ("for", "while", "loop") and all_tokens[at + 1].text != "<":
            body = body_of(all_tokens, at)
            if body:
                loops.append(body)
        elif text in ("continue", "break"):
            around = [loop for loop in loops if loop[0] < at < loop[1]]
            if around and not inside(closures, at):
                doubtful.append((at, around[-1][1]))
    for at in range(start + 1, end):
        token, after = all_tokens[at], all_tokens[at + 1].text
        certain = not inside(doubtful, at)
        if token.text == "return" or token.text == "?" and all_tokens[at - 1].text != "$":
            if not inside(closures, at) and not (token.text == "?" and is_bound(all_tokens, at)):
                yield "return", "", token.line, certain
        elif token.kind != "word":
            continue
        elif after == "!" and token.text in MACROS:
            yield "assertion", token.text, token.line, certain
        elif after == "(" and token.text in UNWRAPS and all_tokens[at - 1].text == ".":
            yield "unwrap", token.text, token.line, certain
        elif after == "(" and all_tokens[at - 1].text != "fn":
            yield "call", token.text, token.line, certain


def is_guard(all_tokens, at):
    """Whether an `if` belongs to a pattern: it ends at `=>` before any block."""
    while at < len(all_tokens) and all_tokens[at].text not in ("{", ";", "}"):
        if all_tokens[at].text == "=>":
            return True
        at = all_tokens[at].match + 1 if all_tokens[at].text in ("(", "[") else at + 1
    return False


def is_bound(all_tokens, at):
    """Whether a `?` is that of `?Sized`."""
    return all_tokens[at + 1].text == "Sized"


def inside(ranges, at):
    return any(start <= at < stop for start, stop in ranges)


def test_code(root):
    """The files with test code of each crate, and of the kit that they share."""
    crates = sorted((root / "crates").iterdir()) if (root / "crates").is_dir() else []
    shared = sorted((root / "tests").glob("*.rs"))
    for crate in crates:
        yield crate.name, sorted(crate.glob("src/**/*.rs")) + sorted(crate.glob("tests/**/*.rs"))
    if shared:
        yield "tests", shared


def leading_outside(path):
    """Lines with strings that lead outside the repository."""
    all_tokens = tokens(path.read_text(encoding="utf-8"))
    included = [
        (at, all_tokens[at + 2].match)
        for at, token in enumerate(all_tokens[:-2])
        if token.text in ("include_str", "include_bytes", "include") and all_tokens[at + 1].text == "!"
    ]
    for at, token in enumerate(all_tokens):
        if token.kind == "string" and OUTSIDE.match(token.text) and not inside(included, at):
            yield token.line


def functions(path):
    all_tokens = tokens(path.read_text(encoding="utf-8"))
    for at, token in enumerate(all_tokens[:-1]):
        if token.text == "fn" and token.kind == "word" and all_tokens[at + 1].text not in ("(", "<"):
            yield Function(path, all_tokens, at)


class Helpers:
    """Functions of a crate's test code that assert; what a file defines itself is meant before others of the name."""

    def __init__(self, found):
        self.known = set()
        self.by_name = {}
        for function in found:
            if not function.is_test and function.body:
                self.by_name.setdefault(function.name, []).append(function)
        # By fixed point, as helpers call helpers.
        while True:
            more = [f for f in found if f not in self.known and not f.is_test and self.holds(f)]
            if not more:
                break
            self.known.update(more)

    def holds(self, function):
        first = function.asserts(self)
        return first is not None and all(e[0] != "return" for e in function.events[:first])

    def asserts(self, path, name):
        """Whether a call of this name in this file asserts."""
        same = self.by_name.get(name, [])
        near = [f for f in same if f.path == path] or same
        return bool(near) and all(f in self.known for f in near)


def check(root):
    """The faults, and the number of tests."""
    faults, count = [], 0
    kit = [f for path in sorted((root / "crates/lmz-testkit/src").glob("**/*.rs")) for f in functions(path)]
    for _, files in test_code(root):
        for path in files:
            for line in leading_outside(path):
                faults.append(f"{path.relative_to(root)}:{line}: a path that leads outside the repository")
        found = [function for path in files for function in functions(path)]
        helpers = Helpers(found + kit)
        for function in found:
            if function.is_test:
                count += 1
                fault = function.fault(helpers)
                if fault:
                    place = function.path.relative_to(root)
                    faults.append(f"{place}:{function.line}: {function.name} {fault}")
    return faults, count


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve()
    faults, count = check(root)
    for fault in faults:
        print(fault)
    print(f"{count} tests, {len(faults)} faults")
    if not count:
        sys.exit(f"there are no tests in {root}")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
