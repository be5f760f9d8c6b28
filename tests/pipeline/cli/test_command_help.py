"""Every command explains itself, and what it names exists."""

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import videopose
from videopose.pipeline.cli import main
from videopose.pipeline.cli.command import Command, Group

ROOT = Path(videopose.__file__).parent


def commands() -> dict[str, click.Command]:
    """Every command by its words: "infer", "prepare cmu"."""
    context = click.Context(main.cli)
    found: dict[str, click.Command] = {}
    for name in main.cli.list_commands(context):
        command = main.cli.get_command(context, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {inner}": each for inner, each in command.commands.items()}
    return found


COMMANDS = commands()
OPTIONS = {
    spelling
    for command in (main.cli, *COMMANDS.values())
    for parameter in command.get_params(click.Context(command, help_option_names=["-h", "--help"]))
    for spelling in (*parameter.opts, *parameter.secondary_opts)
    if spelling.startswith("-")
}


def extras() -> list[str]:
    """The extras that setup.py offers."""
    for node in ast.walk(ast.parse((ROOT / "setup.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "extras_require":
            assert isinstance(node.value, ast.Dict)
            return [ast.literal_eval(key) for key in node.value.keys if key is not None]
    raise AssertionError("setup.py offers no extras")


EXTRAS = extras()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_help_and_a_heading(name: str) -> None:
    for option in COMMANDS[name].params:
        if isinstance(option, click.Option):
            assert option.help, option.name
            assert getattr(option, "heading", None), option.name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_a_summary_and_more(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    summary = command.help.strip().splitlines()[0]
    assert summary.endswith(".")
    assert len(summary) <= 80


def test_the_list_of_commands_has_their_own_summaries() -> None:
    for listed in main.COMMANDS.values():
        for name, summary in listed.items():
            assert COMMANDS[name].help.strip().splitlines()[0] == summary


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_that_parse(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = COMMANDS[name]
    assert isinstance(command, Command)
    assert 1 <= len(command.examples) <= 3
    if not isinstance(command, Group):
        assert len(command.examples) == 3
        assert command.examples[0].startswith(f"videopose {name}")
    # a file of an example need not exist
    monkeypatch.setattr(click.Path, "convert", lambda self, value, option, context: Path(value))
    for example in command.examples:
        words = shlex.split(example, comments=True)
        if words[0] == "videopose":
            parse(words[1:])


def parse(words: list[str]) -> None:
    """Parse a command line to its end, and run nothing."""
    command: click.Command = main.cli
    context = click.Context(main.cli, info_name="videopose")
    while isinstance(command, click.Group) and words:
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    command.make_context(command.name, list(words), parent=context)


@pytest.mark.parametrize("line", ["infer", "infer a.mp4 --nosuch", "prepare nosuch", "train a.yaml --data b"])
def test_parsing_notices_a_wrong_line(line: str) -> None:
    with pytest.raises(click.UsageError):
        parse(shlex.split(line))


def test_examples_are_shown_at_the_end_and_can_be_copied() -> None:
    for name, command in COMMANDS.items():
        context = click.Context(command, info_name=name, terminal_width=80)
        shown = command.get_help(context)
        ending = "\n".join(["Examples:", *(f"  {example}" for example in command.examples)])
        assert shown.endswith(ending), name


# what messages, help and pages name -------------------------------------------------------------------------

FOREIGN = {
    "--evaluate",  # of VideoPose3D's run.py
    "--hash",  # of pip's requirements
    "--keypoint_scale",  # of OpenPose
    "--strict",  # of mypy
    "--write_json",  # of OpenPose
}


def messages() -> Iterator[tuple[str, str]]:
    """Every text with a blank in the package's source: messages, help and docstrings, with its file."""
    for room in ("pipeline", "detectors", "lifting", "render", "semi"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                    yield str(path.relative_to(ROOT)), node.value


def pages() -> Iterator[tuple[str, str]]:
    """Every piece of code in the pages: between backticks, and indented lines."""
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        if path.name == "CHANGELOG.md":  # about versions that had other commands, too
            continue
        text = path.read_text(encoding="utf-8")
        for pattern in (r"`+([^`]+)`+", r"(?m)^ {4}(.+)$"):
            for code in re.findall(pattern, text):
                yield str(path.relative_to(ROOT)), code


def wrong_names(text: str, *, code: bool) -> list[str]:
    """What `text` names of the command line that does not exist."""
    start = r"(?:^|[\s/])" if code else r"[`']"
    wrong = [
        words
        for words in re.findall(rf"{start}videopose ([a-z][a-z-]*(?: [a-z][a-z0-9-]*)?)", text)
        if words.split()[0] not in COMMANDS
    ]
    if not re.search(r"\b(pip|npm|torchrun|pytest|benchmarks|scripts|git|mkdocs)\b", text):
        wrong += [o for o in re.findall(r"(?<![\w-])--[a-z][\w-]*", text) if o not in OPTIONS | FOREIGN]
    wrong += [extra for extra in re.findall(r"videopose\[([\w,-]+)\]", text) if extra not in EXTRAS]
    return wrong


def test_messages_name_what_exists() -> None:
    wrong = [f"{file}: {name}" for file, text in messages() for name in wrong_names(text, code=False)]
    assert not wrong


def test_pages_name_what_exists() -> None:
    wrong = [f"{file}: {name}" for file, text in pages() for name in wrong_names(text, code=True)]
    assert not wrong


def test_wrong_names_are_noticed() -> None:
    assert wrong_names("see `videopose dance`", code=False) == ["dance"]
    assert wrong_names("--nosuch helps, --people too", code=False) == ["--nosuch"]
    assert wrong_names("pip install 'videopose[nosuch]'", code=False) == ["nosuch"]
