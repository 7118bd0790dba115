"""Text out of tokens."""


def joined(text: str, piece: str, apart: bool) -> str:
    """The text with a piece more. apart: the piece begins a word, so a blank stands before it where two words of ASCII
    letters or digits would otherwise be one."""
    neighbours = text[-1:], piece[:1]
    needs_blank = apart and all(character.isascii() and character.isalnum() for character in neighbours)
    return text + " " * needs_blank + piece


def with_tokens(text: str, tokens: list[str]) -> str:
    """The text with tokens of WordPiece behind it."""
    for token in tokens:
        text = joined(text, token.removeprefix("##"), not token.startswith("##"))
    return text
