"""What a visit refuses. Texts are for people and name nobody."""


class Refused(Exception):
    """``code`` is a word for programs, ``status`` the HTTP status it comes to."""

    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.code, self.text, self.status = code, text, status
