"""A process that searches names for a pattern, for `groups.py`: only a process can be ended.

Python's `re` takes years over some patterns, and no thread beside it runs meanwhile. Nothing of
the app is imported here: the process starts in a moment.
"""

import faulthandler
import json
import re
import sys


def main() -> None:
    """Answer what stands on stdin: a line for each name, with what the pattern's group holds.

    After `seconds` this process ends itself, whatever became of the one that started it.
    """
    asked = json.load(sys.stdin)
    # The one clock in Python that needs not wait for `re`.
    faulthandler.dump_traceback_later(asked["seconds"], exit=True)
    pattern = re.compile(asked["pattern"])
    for name in asked["names"]:
        found = pattern.search(name)
        sys.stdout.write(json.dumps(found and found[1]) + "\n")
        # How far it came is told also where it goes no further.
        sys.stdout.flush()


if __name__ == "__main__":
    main()
