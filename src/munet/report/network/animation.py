"""The growth of a network as a GIF or a video: a frame for each change, in which nothing jumps (A6).

Columns and rows are those of the network as it is in the end, and stay where they are. The task for which a model was
just sampled stands out; the last frame shows the network alone and is held.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path as File
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

from munet.errors import InputError
from munet.fs.atomic import write_atomic
from munet.model.slots import slot_order
from munet.report.figures.needs import one_system, readable, some
from munet.report.network.figure import drawn, order_of, paths_at, step_title
from munet.report.network.layout import Layout, Path, arrange
from munet.report.network.picture import picture
from munet.report.style.fonts import ellipsis
from munet.report.style.palette import FAINT
from munet.text import clean

if TYPE_CHECKING:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL.Image import Image

    from munet.analysis import History

SUFFIXES = (".gif", ".mp4")
MOST_FRAMES = 300  # unless somebody asks for more with `every`
MOST_SIDE = 2160  # pixels
_DPI = 100  # of a frame, unless that makes it larger than MOST_SIDE
_EXACT, _NEAR = 64, 8  # colours that a GIF has exactly, and how far others stay away
_NAME, _WORDS = 26, 110  # letters of a task's name, of a caption
_READING = (
    "Framed: the task of the sampled model. Boxes: layers, in the colour of the task that trained them; grey: the root."
)
_CRISP = ("-crf", "18", "-movflags", "+faststart")  # faststart: it plays while it is loaded
_SAME = ("-fflags", "+bitexact", "-flags:v", "+bitexact")  # no versions and dates in the file
Colour = tuple[int, int, int]
Progress = Callable[[int, int], None]  # done, in all


@dataclass(frozen=True)
class Scene:
    """One frame: the network at a step, and the child sampled there."""

    step: int
    paths: tuple[Path, ...]
    title: str
    caption: tuple[str, str]
    highlight: str | None


@dataclass(frozen=True)
class Film:
    """All frames to come, and where everything is in each of them."""

    steps: tuple[int, ...]  # the last one twice: with the sampled model, and alone
    total: int  # sampled models
    changes: int  # steps at which the network changed
    order: tuple[str, ...]
    slots: tuple[str, ...]


def check_target(path: File) -> None:
    """InputError unless the name of the file says which kind it is to be, and the kind can be made here."""
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(f"{path}: an animation ends in {', '.join(SUFFIXES)}")
    if path.suffix.lower() == ".mp4":
        _encoder()


def animate(
    history: "History",
    path: File,
    *,
    every: int | None = None,
    width: int | None = None,
    seconds: float = 0.5,
    hold: float = 5.0,
    progress: Progress = lambda done, total: None,
) -> Film:
    """Write the growth of one system as .gif or .mp4; returns what was shown.

    A frame for each change of the network, or one `every` so many sampled models, for `seconds` each, the last one for
    `hold`. `width` in pixels. InputError for another suffix, or where nothing was sampled yet.
    """
    check_target(path)
    film = plan(history, every)
    count = len(film.steps) + 1
    frames = _counted(render(history, film, width), count, progress)
    if path.suffix.lower() == ".gif":
        end = list(render(history, replace(film, steps=film.steps[-1:]), width))
        write_atomic(path, _gif(frames, end, [seconds] * (count - 1) + [hold]))
    else:
        write_atomic(path, _mp4(frames, [seconds] * (count - 1) + [hold]))
    return film


def plan(history: "History", every: int | None = None) -> Film:
    """Which steps are shown, and where. InputError where there is nothing to show."""
    from munet.analysis.growth import growth

    one_system(history, "an animation")
    some(history.children, "an animation", "sampled children")
    readable(history, "an animation")
    total, known = len(history.children), growth(history)
    changes = sorted({moment.step for moment in known.moments})
    if not changes:
        raise InputError("an animation needs a child that became the best of its task, and the history has none")
    if every is None:
        steps = _thinned(changes)
    else:
        steps = [step for step in range(0, total, every) if step >= changes[0]]
    if steps[-1:] != [total - 1]:
        steps.append(total - 1)
    last = paths_at(history, total - 1)
    slots = {slot for moment in known.moments for slot in moment.path or ()} - {"norm"}
    tasks = [path.task for path in last]
    order = order_of(last)
    return Film(
        tuple(steps), total, len(changes), (*order, *(task for task in tasks if task not in order)),
        tuple(sorted(slots, key=slot_order)),
    )  # fmt: skip


def _thinned(steps: Sequence[int]) -> list[int]:
    """At most MOST_FRAMES of them, evenly, the first and the last among them."""
    if len(steps) <= MOST_FRAMES:
        return list(steps)
    return [steps[round(number * (len(steps) - 1) / (MOST_FRAMES - 1))] for number in range(MOST_FRAMES)]


def scenes(history: "History", film: Film) -> Iterator[Scene]:
    """The frames in order of time; the paths of each one follow from those of the one before."""
    from munet.analysis.growth import growth

    known = growth(history)
    left, now = list(reversed(known.moments)), dict[str, Path]()
    tasks = list(history.tasks["task"])
    columns = ["task", "parent_task", "accepted", "best", "accuracy"]
    sampled_as = dict(zip(history.children["step"], history.children[columns].itertuples(index=False), strict=True))
    paths: tuple[Path, ...] = ()
    for step in film.steps:
        while left and left[-1].step <= step:
            moment = left.pop()
            layers = now[moment.task].layers if moment.path is None and moment.task in now else {}
            if moment.path is not None:
                layers = {slot: drawn(known.layers[layer]) for slot, layer in moment.path.items()}
            now[moment.task] = Path(moment.task, layers, moment.accuracy)
        paths = tuple(now.get(task, Path(task, {})) for task in tasks)
        title = step_title(list(paths), step, film.total - 1)
        yield Scene(step, paths, title, (_sampled(*sampled_as[step]), _READING), sampled_as[step][0])
    last = film.steps[-1]
    yield Scene(last, paths, step_title(list(paths), last, film.total - 1), ("The network as it is.", _READING), None)


def _sampled(task: str, parent: str | None, accepted: bool, best: bool, accuracy: float) -> str:
    """What happened at a step, in one line."""
    name = ellipsis(clean(task), _NAME)
    source = "the root" if not parent else "its own" if parent == task else f"one of {ellipsis(clean(parent), _NAME)}"
    end = "the best so far" if best else "accepted" if accepted else "not accepted"
    reached = f", {100 * accuracy:.1f} %" if accuracy == accuracy and accuracy is not None else ""
    return ellipsis(f"Sampled for {name}, from {source}: {end}{reached}.", _WORDS)


def render(history: "History", film: Film, width: int | None = None) -> Iterator["Image"]:
    """The frames as pictures, all of one size with even sides."""
    from PIL import Image

    size: tuple[int, int] | None = None
    for scene in scenes(history, film):
        layout: Layout = arrange(scene.paths, film.slots, film.order)
        figure = picture(scene.paths, scene.title, layout=layout, caption=scene.caption, highlight=scene.highlight)
        across, high = figure.get_size_inches()
        axes = figure.axes[0]
        axes.plot([0, across * (scene.step + 1) / film.total], [0, 0], color=FAINT, lw=6, solid_capstyle="butt")
        dpi = width / across if width else min(_DPI, MOST_SIDE / max(across, high))
        figure.set_dpi(dpi)
        canvas = cast("FigureCanvasAgg", figure.canvas)
        canvas.draw()
        image = Image.frombuffer("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba())).convert("RGB")
        size = size or (image.width // 2 * 2, image.height // 2 * 2)
        yield image.crop((0, 0, *size))


def _counted(frames: Iterator["Image"], total: int, progress: Progress) -> Iterator["Image"]:
    progress(0, total)
    for done, frame in enumerate(frames, 1):
        yield frame
        progress(done, total)


def _palette(frames: Sequence["Image"]) -> "Image":
    """The colours of large areas as they are, and what comes near to all others."""
    from PIL import Image

    joined = Image.new("RGB", (frames[0].width, sum(frame.height for frame in frames)))
    for place, frame in enumerate(frames):
        joined.paste(frame, (0, place * frame.height))
    counts = cast("list[tuple[int, Colour]]", joined.getcolors(joined.width * joined.height))
    exact = [colour for _, colour in sorted(counts, reverse=True)[:_EXACT]]
    flat = joined.quantize(256 - _EXACT, method=Image.Quantize.MEDIANCUT).getpalette() or []
    chosen: list[Colour] = []
    for one in [*exact, *zip(flat[::3], flat[1::3], flat[2::3], strict=True)]:
        # what is next to a colour may be taken in its place: Pillow looks for the nearest only roughly
        if all(max(map(_distance, one, other)) > _NEAR for other in chosen):
            chosen.append(one)
    made = Image.new("P", (1, 1))
    made.putpalette([value for colour in chosen for value in colour])
    return made


def _distance(one: int, other: int) -> int:
    return abs(one - other)


def _gif(frames: Iterator["Image"], end: Sequence["Image"], seconds: Sequence[float]) -> bytes:
    """All frames with the colours of the `end`, so that nothing flickers. It starts again when it is over."""
    from PIL import Image

    palette = _palette(end)
    drawn = (frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames)
    times = [max(20, round(1000 * time)) for time in seconds]
    data = BytesIO()
    next(drawn).save(data, format="GIF", save_all=True, append_images=drawn, duration=times, loop=0, optimize=False)
    return data.getvalue()


def _encoder() -> Any:
    try:
        import imageio_ffmpeg
    except ImportError as error:
        raise InputError(
            "an .mp4 needs an encoder: pip install 'munet-ml[video]', or write a .gif", kind="missing-extra"
        ) from error
    return imageio_ffmpeg


def _mp4(frames: Iterator["Image"], seconds: Sequence[float]) -> bytes:
    """H.264 as every player reads it. A frame is repeated for as long as it is shown."""
    rate = max(10, round(1 / min(seconds)))
    with TemporaryDirectory() as folder:
        target, writer = File(folder) / "growth.mp4", None
        for frame, time in zip(frames, seconds, strict=True):
            if writer is None:
                options = {"fps": rate, "quality": None, "macro_block_size": 2, "ffmpeg_log_level": "error"}
                writer = _encoder().write_frames(str(target), frame.size, **options, output_params=[*_CRISP, *_SAME])
                writer.send(None)
            data = frame.tobytes()
            for _ in range(max(1, round(time * rate))):
                writer.send(data)
        assert writer is not None  # a film has frames
        writer.close()
        return target.read_bytes()
