"""What was asked cannot be: said in a word for programs and a sentence for people."""

__all__ = ["Refused"]


class Refused(Exception):
    """`code` for programs, `text` for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
