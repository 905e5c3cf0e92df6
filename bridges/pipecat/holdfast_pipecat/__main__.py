"""The command line: `python -m holdfast_pipecat setup-file` prints the path for Pipecat."""

import argparse
from pathlib import Path

from holdfast_pipecat import config
from holdfast_pipecat.config import NotConfigured


def main() -> None:
    """Answer one question of whoever sets a bot up."""
    parser = argparse.ArgumentParser(prog="python -m holdfast_pipecat")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("setup-file", help="print the path for PIPECAT_SETUP_FILES")
    commands.add_parser("where", help="print which hub a bot started here would join")
    command = parser.parse_args().command
    if command == "setup-file":
        print(Path(__file__).with_name("setup_file.py"))
        return
    found = config.hub_address(config.environment())
    print(found.reason if isinstance(found, NotConfigured) else found.url)


if __name__ == "__main__":
    main()
