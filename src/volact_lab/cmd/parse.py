"""From a line of batch language to what is to be done: a small syntax tree.

The text is one logical line, percent signs already expanded; lines of a block
are joined by line feeds.  Nothing is executed here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from volact_lab.cmd.tree import Block, Chain, For, If, Node, Redirect, Simple

SEPARATORS = " \t,;="
_SPACE = " \t"
_ORDINARY = re.compile(r'[^\n&|<>()"^ \t]+')  # nothing of this ever needs a decision
_QUOTED = re.compile(r'[^\n"]+')


class SyntaxFault(Exception):  # noqa: N818  # cmd.exe's own complaint
    """cmd.exe does not understand the line; ``near`` is what it complains about."""

    def __init__(self, near: str) -> None:
        super().__init__(near)
        self.near = near


class Unfinished(Exception):  # noqa: N818  # not a failure: the block goes on in the next line
    """The line opens a block that it does not close."""


@lru_cache(maxsize=1024)
def parse(text: str) -> Node | None:
    """The tree of a logical line; None for an empty line or a label.

    Trees are never changed, so that servers that run the same file share them.
    """
    parser = _Parser(text)
    parser.skip("\n" + SEPARATORS + "@")
    if parser.at_end() or parser.peek() == ":":
        return None
    node = parser.chain(nested=False)
    parser.skip(_SPACE)
    if not parser.at_end():
        raise SyntaxFault(parser.text[parser.at :].split()[0])
    return node


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    # characters

    def at_end(self) -> bool:
        return self.at >= len(self.text)

    def peek(self, size: int = 1) -> str:
        return self.text[self.at : self.at + size]

    def skip(self, characters: str) -> None:
        while not self.at_end() and self.text[self.at] in characters:
            self.at += 1

    def word_ahead(self, word: str) -> bool:
        end = self.at + len(word)
        after = self.text[end : end + 1]
        same = self.text[self.at : end].lower() == word
        return same and (not after or after in SEPARATORS + '(\n"/%')

    def token(self) -> str:
        """The next word, quotes kept."""
        self.skip(SEPARATORS)
        out, quoted = "", False
        while not self.at_end():
            char = self.peek()
            if not quoted and char in _SPACE + "\n&|<>()":
                break
            out, quoted = self._take(out, char, quoted=quoted)
        return out

    def _take(self, out: str, char: str, *, quoted: bool) -> tuple[str, bool]:
        """Take what stands here literally: a stretch, a quote, an escaped character."""
        plain = (_QUOTED if quoted else _ORDINARY).match(self.text, self.at)
        if plain:
            self.at = plain.end()
            return out + plain[0], quoted
        if char == '"':
            quoted = not quoted
        elif char == "^" and not quoted:
            self.at += 1
            char = self.peek()
        self.at += 1
        return out + char, quoted

    # commands

    def chain(self, *, nested: bool) -> Node:
        left = self.command(nested=nested)
        while True:
            self.skip(_SPACE)
            operator = self._operator()
            if operator is None:
                return left
            if nested or not self._rest_is_empty():
                left = Chain(left, operator, self.command(nested=nested))
            elif operator != "&":
                raise SyntaxFault(operator)

    def _rest_is_empty(self) -> bool:
        return not self.text[self.at :].strip(_SPACE)

    def _operator(self) -> Literal["&", "&&", "||", "|"] | None:
        for operator in ("&&", "||", "&", "|"):
            if self.peek(len(operator)) == operator:
                self.at += len(operator)
                return operator
        return None

    def command(self, *, nested: bool) -> Node:
        self.skip(SEPARATORS + "@" + ("\n" if nested else ""))
        if self.peek() == "(":
            return self._block()
        if self.word_ahead("if"):
            return self._if(nested=nested)
        if self.word_ahead("for"):
            return self._for(nested=nested)
        return self._simple(nested=nested)

    def _block(self) -> Block:
        self.at += 1
        body: list[Node] = []
        while True:
            self.skip("\n" + _SPACE)
            if self.at_end():
                raise Unfinished
            if self.peek() == ")":
                self.at += 1
                break
            if self.peek() == ":":
                self._to_line_end()
                continue
            body.append(self.chain(nested=True))
        if not body:
            raise SyntaxFault(")")
        block = Block(body)
        self._redirects(block.redirects)
        return block

    def _to_line_end(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end

    def _if(self, *, nested: bool) -> If:
        self.at += 2
        words: list[str] = []
        word = self.token()
        while word.lower() in {"/i", "not"}:
            words.append(word.lower())
            word = self.token()
        words.append(word)
        if word.lower() in {"exist", "defined", "errorlevel"}:
            words.append(self.token())
        elif "==" not in word:
            self._comparison(words)
        elif word.endswith("=="):
            words[-1] += self.token()
        self.skip(_SPACE)
        if self.at_end():
            raise SyntaxFault(words[-1])
        # What is joined by & belongs to the condition, as in cmd.exe.
        return If(words, self.chain(nested=nested), self._else(nested=nested))

    def _comparison(self, words: list[str]) -> None:
        self.skip(_SPACE)
        if self.peek(2) == "==":
            self.at += 2
            words[-1] += "==" + self.token()
            return
        operator, right = self.token().lower(), self.token()
        if operator not in {"equ", "neq", "lss", "leq", "gtr", "geq"}:
            raise SyntaxFault(operator)
        words += [operator, right]

    def _else(self, *, nested: bool) -> Node | None:
        start = self.at
        self.skip(_SPACE)
        if self.word_ahead("else"):
            self.at += 4
            return self.chain(nested=nested)
        self.at = start
        return None

    def _for(self, *, nested: bool) -> For:
        self.at += 3
        switch = options = ""
        word = self.token()
        if word.startswith("/"):
            switch = word[1:].lower()
            word = self.token()
            if switch == "f" and word.startswith('"'):
                options, word = word.strip('"'), self.token()
        if len(word) != 2 or word[0] != "%" or self.token().lower() != "in":
            raise SyntaxFault(word)
        self.skip(_SPACE)
        items = self._parenthesised()
        if self.token().lower() != "do":
            raise SyntaxFault(items)
        return For(switch, options, word[1], items, self.chain(nested=nested))

    def _parenthesised(self) -> str:
        if self.peek() != "(":
            raise SyntaxFault(self.peek())
        self.at += 1
        out, quoted = "", False
        while not self.at_end():
            char = self.peek()
            if char == ")" and not quoted:
                self.at += 1
                return out
            out, quoted = self._take(out, char, quoted=quoted)
        raise Unfinished

    def _simple(self, *, nested: bool) -> Simple:
        simple = Simple("")
        if self.word_ahead("rem"):
            start = self.at
            self._to_line_end()
            simple.text = self.text[start : self.at]
            return simple
        out, quoted = "", False
        while not self.at_end():
            char = self.peek()
            if char == "\n" or (not quoted and (char in "&|" or (nested and char == ")"))):
                break
            if not quoted and char in "<>":
                out = self._redirect(out, simple.redirects)
                continue
            out, quoted = self._take(out, char, quoted=quoted)
        simple.text = out
        if not out.strip() and not simple.redirects:
            raise SyntaxFault(self.peek())
        return simple

    def _redirects(self, into: list[Redirect]) -> None:
        self.skip(_SPACE)
        while not self.at_end() and (
            self.peek() in "<>" or (self.peek().isdigit() and self.peek(2)[1:] in ("<", ">"))
        ):
            handle = ""
            if self.peek().isdigit():
                handle = self.peek()
                self.at += 1
            self._redirect(handle, into)
            self.skip(_SPACE)

    def _redirect(self, before: str, into: list[Redirect]) -> str:
        """Read one redirection; returns the command text without its handle digit."""
        sign = self.peek()
        self.at += 1
        handle = 0 if sign == "<" else 1
        if before[-1:].isdigit() and (len(before) == 1 or before[-2] in SEPARATORS + ')"'):
            handle, before = int(before[-1]), before[:-1]
        mode: Literal["<", ">", ">>", "&"] = "<" if sign == "<" else ">"
        if self.peek() == ">" and sign == ">":
            mode = ">>"
            self.at += 1
        if self.peek() == "&" and self.peek(2)[1:].isdigit():
            into.append(Redirect(handle, "&", self.peek(2)[1:]))
            self.at += 2
            return before
        target = self.token()
        if not target:
            raise SyntaxFault(self.peek())
        into.append(Redirect(handle, mode, target.strip('"')))
        return before
