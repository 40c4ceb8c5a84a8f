"""remote add, list, remove: which other places a system exchanges with."""

from typing import Annotated

import typer

from munet.cli.common import JsonFlag, SystemPath, open_system, show, show_json
from munet.cli.sharing.exchange import Signed
from munet.text import clean

Name = Annotated[str, typer.Argument(metavar="NAME", help="What you call it, such as origin.", show_default=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True, help="Where a system is shared: add, list or remove such a place.")
    group.command("add")(add)
    group.command("list")(list_remotes)
    group.command("remove")(remove)
    app.add_typer(group, name="remote")


def add(
    system: SystemPath,
    name: Name,
    url: Annotated[
        str, typer.Argument(metavar="URL", help="A path, s3://, gs://, az://, hf:// or https://.", show_default=False)
    ],
    read_only: Annotated[bool, typer.Option("--read-only", help="Never push to it.")] = False,
    require_signed: Signed = None,
) -> None:
    """Add a place where the system is shared.

    Passwords are never part of it: they are those of the environment.

    Examples:
      munet remote add fleet origin /mnt/share/fleet
      munet remote add fleet origin s3://bucket/fleet
      munet remote add fleet origin /mnt/share/fleet --require-signed allowed_signers
    """
    from munet.sharing.remotes import DEFAULT, add_remote, check_remote

    store = open_system(system).store
    there = check_remote(store, url, read_only=read_only)
    made = add_remote(store, name, url, read_only=read_only, require_signed=require_signed)
    way = f", munet push {clean(system)}{'' if name == DEFAULT else f' --remote {clean(name)}'} makes it"
    state = "a system of the same root" if there else f"nothing there yet{'' if read_only else way}"
    show(f"{clean(name)}: {clean(made['url'])}, {state}")


def list_remotes(system: SystemPath, as_json: JsonFlag = False) -> None:
    """List the places where the system is shared.

    Example:
      munet remote list fleet
    """
    from munet.sharing.remotes import remotes

    known = remotes(open_system(system).store)
    if as_json:
        show_json(known)
        return
    for name, remote in known.items():
        tasks = f", only {', '.join(remote['tasks'])}" if "tasks" in remote else ""
        signed = f", signed by {remote['require_signed']}" if "require_signed" in remote else ""
        show(clean(f"{name}: {remote['url']}{tasks}{signed}{', read only' if remote.get('read_only') else ''}"))
    if not known:
        show(f"No remotes. Next: munet remote add {clean(system)} origin URL")


def remove(system: SystemPath, name: Name) -> None:
    """Forget a place; nothing there changes.

    Example:
      munet remote remove fleet origin
    """
    from munet.sharing.remotes import remove_remote

    gone = remove_remote(open_system(system).store, name)
    show(f"{clean(name)}: {clean(gone['url'])} is forgotten here, and stays as it is there")
