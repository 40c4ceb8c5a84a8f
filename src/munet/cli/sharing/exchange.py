"""clone, push, pull, fetch, merge: what one has retained reaches the others."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.common import JsonFlag, SystemPath, complete_task, open_system, show, show_json, tell
from munet.cli.sharing.new_names import parsed
from munet.cli.sharing.outcomes import printed, verdict
from munet.cli.text.formatting import short
from munet.errors import InputError
from munet.text import clean, counted

if TYPE_CHECKING:
    from munet.sharing.exchange import Outcome
    from munet.sharing.judging import Judged
    from munet.system import System

Tasks = Annotated[
    list[str] | None,
    typer.Argument(metavar="TASKS", help="All that are shared unless named.", autocompletion=complete_task),
]
RemoteName = Annotated[str, typer.Option(metavar="NAME", help="Which remote.")]
Judge = Annotated[
    bool,
    typer.Option(
        "--judge", help="Measure what came from elsewhere on the images here: of several models the best stays."
    ),
]
Signed = Annotated[
    Path | None,
    typer.Option(
        "--require-signed",
        metavar="SIGNERS",
        help="Take only what somebody of this file of allowed signers signed.",
        show_default=False,
    ),
]
Sign = Annotated[
    Path | None,
    typer.Option(
        "--sign",
        metavar="KEY",
        envvar="MUNET_SIGN",
        help="Sign the heads trained here with this SSH key first.",
        show_default=False,
    ),
]
Skip = Annotated[list[str] | None, typer.Option(metavar="TASK", help="Leave this task out; repeatable.")]
SkipTheirs = Annotated[
    list[str] | None,
    typer.Option("--skip", "--ours", metavar="TASK", help="Leave this task of theirs out; repeatable."),
]

As = Annotated[
    list[str] | None,
    typer.Option("--as", metavar="TASK=NEWNAME", help="Take this task of theirs under another name; repeatable."),
]
AsThere = Annotated[
    list[str] | None,
    typer.Option("--as", metavar="TASK=NEWNAME", help="Share this task of yours under another name; repeatable."),
]
Theirs = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TASK",
        help="Take theirs where yours of that name is another task, which stays as TASK-mine; repeatable.",
    ),
]


def register(app: typer.Typer) -> None:
    for command in (clone, push, pull, fetch, merge, sign):
        app.command(command.__name__)(command)


def clone(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="A path, s3://, gs://, az://, hf:// or https://.", show_default=False)
    ],
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="The last part of URL unless given.", show_default=False)
    ] = None,
    task: Annotated[list[str] | None, typer.Option(metavar="TASK", help="Only this task; repeatable.")] = None,
    no_weights: Annotated[bool, typer.Option("--no-weights", help="Layers come when they are used.")] = False,
    require_signed: Signed = None,
    as_json: JsonFlag = False,
) -> None:
    """Make a system of what others share at an address.

    The same command goes on after an interruption.

    Example:
      munet clone s3://bucket/fleet
    """
    from munet.sharing.cloning import clone as make
    from munet.sharing.cloning import folder_for

    path = directory or folder_for(url)
    options = {"weights": not no_weights, "require_signed": require_signed}
    _do("cloning", as_json, lambda **how: make(url, path, task, **options, **how))
    if not as_json:
        show(f"Next: munet status {clean(path)}")


def push(
    system: SystemPath,
    tasks: Tasks = None,
    remote: RemoteName = "origin",
    skip: Skip = None,
    renamed: AsThere = None,
    publish: Annotated[
        bool, typer.Option("--publish", help="Make the named private tasks public first, for good.")
    ] = False,
    sign: Sign = None,
    as_json: JsonFlag = False,
) -> None:
    """Let a remote know what this system has retained.

    Private tasks and the places of images stay here.

    Examples:
      munet push fleet
      munet push fleet flowers --remote origin
      munet push fleet --sign ~/.ssh/id_ed25519
    """
    opened = open_system(system)
    how = {"remote": remote, "skip": skip or (), "renamed": parsed(renamed), "publish": publish, "sign": sign}
    _do("pushing", as_json, lambda **more: opened.push(tasks, **how, **more))


def pull(
    system: SystemPath,
    tasks: Tasks = None,
    remote: RemoteName = "origin",
    skip: SkipTheirs = None,
    renamed: As = None,
    theirs: Theirs = None,
    judge: Judge = False,
    as_json: JsonFlag = False,
) -> None:
    """Take over what others have retained.

    Where a task was evolved here too, the better model on validation counts, and the other is kept beside it.

    Examples:
      munet pull fleet
      munet pull fleet --as flowers=flowers-alice
    """
    opened = open_system(system)
    how = {"remote": remote, "skip": skip or (), "renamed": parsed(renamed), "theirs": theirs or ()}
    _do("pulling", as_json, lambda **more: opened.pull(tasks, **how, **more), opened if judge else None)


def fetch(
    system: SystemPath,
    tasks: Tasks = None,
    remote: RemoteName = "origin",
    skip: SkipTheirs = None,
    weights: Annotated[bool, typer.Option("--weights", help="Then bring all layers that a clone left there.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Say what a pull would do, and copy the models for it.

    What the tasks retain stays as it is.

    Examples:
      munet fetch fleet
      munet fetch fleet --weights
    """
    opened = open_system(system)
    _do("fetching", as_json, lambda **more: opened.fetch(tasks, remote=remote, skip=skip or (), **more))
    if weights:
        from munet.cli.text.progress import progress

        with progress("fetching layers") as report:
            came = opened.fetch_weights(report)
        if not as_json:
            show(f"{counted(came, 'layer')} came")


def merge(
    system: SystemPath,
    other: Annotated[Path, typer.Argument(metavar="OTHER", help="Directory of another system.", show_default=False)],
    tasks: Tasks = None,
    skip: SkipTheirs = None,
    renamed: As = None,
    theirs: Theirs = None,
    judge: Judge = False,
    require_signed: Signed = None,
    as_json: JsonFlag = False,
) -> None:
    """Take over what another system in a folder has retained.

    As a pull; the other system stays as it is.

    Examples:
      munet merge fleet ../fleet-of-bob
      munet merge fleet ../fleet-of-bob --theirs flowers
    """
    opened = open_system(system)
    how = {"skip": skip or (), "renamed": parsed(renamed), "theirs": theirs or (), "require_signed": require_signed}
    _do("merging", as_json, lambda **more: opened.merge(other, tasks, **how, **more), opened if judge else None)


def sign(
    system: SystemPath,
    tasks: Annotated[
        list[str] | None, typer.Argument(metavar="TASKS", help="All unless named.", autocompletion=complete_task)
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="KEY", envvar="MUNET_SIGN", help="File of an SSH key.", show_default=False)
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Sign what tasks retain, whoever evolved it.

    The next push takes the signatures along. `munet push --sign` signs only what was trained here.

    Example:
      munet sign fleet flowers --key ~/.ssh/id_ed25519
    """
    if key is None:
        raise InputError(f"name the key: `munet sign {system} --key ~/.ssh/id_ed25519`, or put it in MUNET_SIGN")
    done = open_system(system).sign(key, tasks)
    if as_json:
        show_json([one._asdict() for one in done])
    for one in [] if as_json else done:
        show(f"{clean(one.task)}: {short(one.model)} is signed")
    if not done and not as_json:
        show("nothing to sign: this key has signed all that is there")


def _do(what: str, as_json: bool, exchange: "Callable[..., list[Outcome]]", judge: "System | None" = None) -> None:
    """An exchange with its progress; its outcomes are printed as they come, or as JSON at the end."""
    from munet.cli.text.progress import progress
    from munet.sharing.exchange import Refused

    refused: Refused | None = None
    with progress(what) as report:
        try:
            outcomes = exchange(progress=report, told=printed(as_json))
        except Refused as error:
            outcomes, refused = error.outcomes, error
    judged = [] if judge is None else _judged(judge, outcomes)
    if as_json:
        show_json([_as_json(outcome, judged) for outcome in outcomes])
    elif not outcomes:
        show("nothing is shared there yet")
    elif all(outcome.what == "same" for outcome in outcomes):
        show(f"{counted(len(outcomes), 'task')}, nothing new")
    for one in [] if as_json else judged:
        show(verdict(one))
    if refused is not None:
        raise refused


def _as_json(outcome: "Outcome", judged: "list[Judged]") -> dict[str, Any]:
    """An outcome with what came of judging its task, after which it may retain another model, and claim less."""
    found = next((one for one in judged if one.task == outcome.task), None)
    if found is None:
        return outcome.to_json() | {"judged": None}
    best = next(iter(found.accuracies))
    now = {"model": best, "over": (), "accuracy": found.accuracies[best], "claimed": best in found.claimed}
    return outcome.to_json() | now | {"judged": found._asdict()}


def _judged(system: "System", outcomes: "list[Outcome]") -> "list[Judged]":
    """Of all tasks with something to judge. What only stays a claim, as its images are not here, is said; where several
    models wait for a decision that is an error."""
    found: list[Judged] = []
    for one in outcomes:
        if one.refused is not None or not (one.over or one.claimed):
            continue
        try:
            judged = system.judge(one.task)
        except InputError as error:
            if one.over:
                raise
            tell(f"{clean(one.task)} stays a claim: {error}")
            continue
        if judged is not None:
            found.append(judged)
    return found
