"""What can go wrong while the parts are set up or started, said so that the reader knows what to do next."""

from pathlib import Path

from shared.i18n import catalogue

HERE = Path(__file__).parent


class SetupError(Exception):
    """A part that can't be set up or started. `message` is Chinese and a key of `deploy/en.po`; `params` fill both."""

    def __init__(self, message: str, **params: object) -> None:
        self.message, self.params = message, params
        super().__init__(message)

    def __str__(self) -> str:
        return bilingual(self.message, **self.params)


def bilingual(message: str, **params: object) -> str:
    """The sentence in Chinese with its English below, as a terminal shows it before anyone has chosen a language."""
    english = catalogue(HERE).get(message)
    return "\n".join(text.format_map(params) for text in (message, english) if text)
