"""predict: classify image files with a model of a system."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from munet.cli.common import Device, JsonFlag, SystemPath, complete_task, open_system, show, show_json, tell
from munet.errors import InputError
from munet.text import clean

if TYPE_CHECKING:
    from munet.inference.stream import Answer


def register(app: typer.Typer) -> None:
    app.command("predict")(predict)


def predict(
    system: SystemPath,
    task: Annotated[
        str,
        typer.Argument(
            metavar="MODEL[,MODEL...]",
            help="A task, or the start of a model id; several with commas between them.",
            autocompletion=complete_task,
        ),
    ],
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGES...", help="Image files, folders of them, or - for paths on standard input."),
    ],
    top: Annotated[int, typer.Option(min=1, help="Classes to name for each image.")] = 1,
    device: Device = "auto",
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Go on without files that cannot be read.")] = False,
    as_json: JsonFlag = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print a JSON object a line, as images are done.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a row of CSV a class, as images are done.")] = False,
) -> None:
    """Classify image files with the model of a task, or of several at once.

    With --jsonl and --csv, answers come as they are computed, in memory that does not grow.

    Example:
      munet predict fleet mnist a.png b.png --top 3
      munet predict fleet flowers,leaves photos/ --csv
      find photos -name '*.jpg' | munet predict fleet flowers - --jsonl
    """
    if as_json + jsonl + as_csv > 1:
        raise InputError("--json, --jsonl and --csv are three ways to print the same: give one")
    from munet.cli.text.formatting import older_classes
    from munet.cli.text.progress import progress

    opened, words = open_system(system), list(dict.fromkeys(task.split(",")))
    for word in words:
        opened.resolve(word)  # a mistake is told before the files are looked for
        if older := older_classes(opened.task(word)) if word in opened.tasks else "":
            tell(f"{clean(word)}: the model knows {older}: munet evolve {clean(system)} {clean(word)}")
    files, total = _files(images)
    with progress("classifying") as report:
        found = opened.predict_files(
            words, files, top=top, device=device, skip_bad=skip_bad, note=lambda text: tell(clean(text))
        )
        answers = _told(found, total, report)
        if jsonl:
            _write_lines(answers, words)
            return
        if as_csv:
            _write_csv(answers, words)
            return
        collected = list(answers)
    if as_json:
        rows = [_row(answer, words) for answer in collected]
        about = [{"task": name, "model": model} for name, model in collected[0].models]
        one = about[0] if len(words) == 1 else {"models": dict(zip(words, about, strict=True))}
        show_json({**one, "images": rows})
        return
    from munet.cli.text.renderables import predict_view

    good = [answer for answer in collected if answer.error is None]
    show(predict_view([str(answer.file) for answer in good], [answer.tops for answer in good], words))


def _files(images: list[Path]) -> tuple[Iterable[Path], int | None]:
    """The files to classify, and how many; standard input is read as it comes, so nobody knows how many."""
    from munet.inference.stream import files_in

    if Path("-") not in images:
        files = list(files_in(images))
        return files, len(files)
    if len(images) > 1:
        raise InputError("- reads the paths from standard input: give it alone, without other files")
    lines = (line.rstrip("\r\n") for line in sys.stdin)
    return files_in(Path(line) for line in lines if line), None


def _told(
    answers: "Iterator[Answer]", total: int | None, report: Callable[[int, int | None], None]
) -> "Iterator[Answer]":
    """The same answers, with the bar moved, and a note for each file that was skipped. InputError where all were, or
    there was none."""
    done = good = 0
    for done, answer in enumerate(answers, 1):
        if answer.error is None:
            good += 1
        else:
            tell(f"skipped {answer.error}")
        yield answer
        report(done, total)
    if not good:
        reason = "none of the files can be read: give others" if done else "standard input holds no path: give some"
        raise InputError(f"no images to classify: {reason}")


def _row(answer: "Answer", words: Sequence[str]) -> dict[str, Any]:
    if answer.error is not None:
        return {"file": str(answer.file), "error": answer.error}
    tops = [[{"class": label, "probability": p} for label, p in top] for top in answer.tops]
    if len(words) == 1:
        return {"file": str(answer.file), "top": tops[0]}
    return {"file": str(answer.file), "answers": dict(zip(words, tops, strict=True))}


def _write_lines(answers: "Iterator[Answer]", words: Sequence[str]) -> None:
    for answer in answers:
        sys.stdout.write(json.dumps(_row(answer, words), ensure_ascii=False) + "\n")
        sys.stdout.flush()


def _write_csv(answers: "Iterator[Answer]", words: Sequence[str]) -> None:
    writer, several = csv.writer(sys.stdout, lineterminator="\n"), len(words) > 1
    writer.writerow(["file", *(["task"] if several else []), "rank", "class", "probability"])
    for answer in answers:
        for word, top in zip(words, answer.tops, strict=False):  # a skipped file has no answers
            place = [str(answer.file), *([word] if several else [])]
            writer.writerows([*place, rank, *pair] for rank, pair in enumerate(top, 1))
        sys.stdout.flush()
