"""`make journey`: tell the story against the running stack, or one started for it. Exit code 0 only if all of it held."""

from __future__ import annotations

import sys
import time

from tests.journey.client import StoryBroken, Teller
from tests.journey.stack import local_stack
from tests.journey.story import Story, play


def main() -> int:
    """Tell the story; the exit code."""
    began = time.perf_counter()
    try:
        with local_stack() as (stack, _local):
            story = Story(stack, Teller())
            play(story)
    except (StoryBroken, OSError) as broken:
        print(f"\nThe journey broke: {broken}", file=sys.stderr)
        return 1
    print(f"\nThe whole matter took {time.perf_counter() - began:.1f} s in {len(story.teller.steps)} steps.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
