"""One session: kaskade's view of topics and groups, without what changes Kafka."""

from __future__ import annotations

import argparse
from pathlib import Path

import kaskade
from kaskade.admin import KaskadeAdmin, ListTopics
from kaskade.services import TopicService
from kaskade.widgets import KaskadeHeader
from textual.app import ComposeResult
from textual.widgets import Footer

from kafka_ui.endpoints import kafka_of

CHANGING = {"new", "edit", "delete"}


class Topics(ListTopics):
    """The list of topics, where none is made, changed or deleted."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whether an action is offered and may run, by key, by mouse or by the palette."""
        return False if action in CHANGING else super().check_action(action, parameters)


class Looking(KaskadeAdmin):
    """kaskade's view for administrators, to look at only: kafka_topics makes topics."""

    TITLE = "Kafka"
    # Said again, since a class looks for its styles beside itself.
    CSS_PATH = Path(kaskade.__file__).with_name("styles.css")

    def compose(self) -> ComposeResult:
        """The page."""
        yield KaskadeHeader(self.kafka_config)
        yield Topics(TopicService(self.kafka_config, timeouts=self.timeouts))
        yield Footer(compact=True)

    def admin_refresh_completed(self) -> None:
        """Called after each look at Kafka."""
        super().admin_refresh_completed()
        # The list is disabled while it loads, which leaves nobody with the keyboard.
        if self.focused is None and len(self.screen_stack) == 1:
            self.query_one(self.AUTO_FOCUS).focus()


def main() -> None:
    """Run in a terminal or below textual-serve."""
    parser = argparse.ArgumentParser(prog="kafka_ui.topics", description=__doc__)
    parser.add_argument("--endpoints", type=Path, required=True, help="the file endpoints.json")
    parser.add_argument("--refresh", type=int, required=True, help="seconds between two looks")
    options = parser.parse_args()
    app = Looking(kafka_of(options.endpoints), refresh_interval=options.refresh)
    app.theme = "nord"
    app.run()


if __name__ == "__main__":
    main()
