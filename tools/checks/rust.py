"""Rust source as tokens, as far as the checks need it: comments and literals are gone, brackets are matched."""

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
      (?P<space>\s+|//[^\n]*)
    | (?P<raw>b?c?r(?P<hashes>\#*)"(?s:.*?)"(?P=hashes))
    | (?P<string>[bc]?"(?:[^"\\]|\\(?s:.))*")
    | (?P<char>b?'(?:[^'\\\n]|\\(?:u\{[0-9a-fA-F_]*\}|x[0-9a-fA-F]{2}|.))')
    | (?P<lifetime>'[A-Za-z_]\w*)
    | (?P<word>(?:r\#)?[A-Za-z_]\w*)
    | (?P<number>\d[\w]*(?:\.\d[\w]*)?)
    | (?P<punctuation>::|->|=>|&&|\|\||\.\.=?|[=!<>]=|.)
    """,
    re.VERBOSE,
)
OPEN, CLOSE = "([{", ")]}"


@dataclass
class Token:
    kind: str  # word, number, string, char, lifetime, punctuation
    text: str
    line: int
    match: int = -1  # the other bracket's index


def tokens(source):
    """The tokens of a file; raises ValueError where it is not Rust."""
    found, at, line = [], 0, 1
    while at < len(source):
        if source.startswith("/*", at):
            end = after_comment(source, at)
        else:
            match = TOKEN.match(source, at)
            end, kind = match.end(), match.lastgroup
            if kind == "hashes":
                kind = "raw"
            if kind != "space":
                kind = "string" if kind == "raw" else kind
                found.append(Token(kind, match.group(), line))
        line += source.count("\n", at, end)
        at = end
    match_brackets(found)
    return found


def after_comment(source, at):
    depth = 0
    for match in re.finditer(r"/\*|\*/", source[at:]):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return at + match.end()
    raise ValueError("a comment does not end")


def match_brackets(all_tokens):
    stack = []
    for index, token in enumerate(all_tokens):
        if token.kind != "punctuation":
            continue
        if token.text in OPEN:
            stack.append(index)
        elif token.text in CLOSE:
            if not stack or OPEN.index(all_tokens[stack[-1]].text) != CLOSE.index(token.text):
                raise ValueError(f"line {token.line}: {token.text!r} closes nothing")
            other = stack.pop()
            token.match, all_tokens[other].match = other, index
    if stack:
        raise ValueError(f"line {all_tokens[stack[-1]].line}: a bracket is not closed")


def attributes_before(all_tokens, index):
    """The texts of the outer attributes that end right before a token, last first."""
    found = []
    while index >= 1 and all_tokens[index - 1].text == "]":
        start = all_tokens[index - 1].match
        if start < 1 or all_tokens[start - 1].text != "#":
            break
        found.append("".join(token.text for token in all_tokens[start + 1 : index - 1]))
        index = start - 1
    return found
