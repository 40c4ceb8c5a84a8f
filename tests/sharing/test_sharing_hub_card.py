"""The model card on the hub: written by who knows all, and never over what a person wrote."""

import shutil
from pathlib import Path

import pytest

pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")

import munet
from fake_hub import FakeHub
from golden_ids import images
from growing import evolve
from munet.errors import InputError
from munet.fs.hub_bucket import HubBucket
from munet.sharing import verbs
from munet.sharing.checking import check
from munet.sharing.copying import Copied, copy_root
from munet.sharing.folder import FolderPlace
from munet.sharing.hub_card import FILE, is_ours, signed
from munet.sharing.objects import ObjectPlace
from munet.sharing.remotes import add_remote
from munet.store import Store
from retaining import retain_another

NAME = "hf://org/fleet"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub-card")
    system = munet.System.create(folder / "here", root="random:vit_tiny_patch16_224", depth=1, image_size=32)
    for name in ("three", "other", "secret"):
        images(folder / name, 3)
        system.add_task(name, f"npz:{folder / name}", private=name == "secret")
    evolve(system, method="head-only", threads=1, executor="local")
    return system.path


@pytest.fixture
def system(made: Path, tmp_path: Path) -> munet.System:
    system = munet.System.open(shutil.copytree(made, tmp_path / "here"))
    add_remote(system.store, "origin", NAME)
    return system


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    (tmp_path / "cache").mkdir()
    hub = FakeHub(tmp_path / "cache")

    def ready(url: str, store: Store, progress: object = None) -> ObjectPlace:
        found = ObjectPlace(HubBucket(url, hub))
        if not found.open():
            found.mark(copy_root(FolderPlace(store), found, Copied()))
        return found

    monkeypatch.setattr(verbs, "ready_to_write", ready)
    return hub


def test_a_push_brings_the_card_and_one_without_news_brings_nothing(hub: FakeHub, system: munet.System) -> None:
    system.push()
    text = hub.files[FILE].decode()
    assert text.startswith("---\nlibrary_name: munet\n")
    assert "# org/fleet\n" in text
    assert f'munet.System.clone("{NAME}")' in text
    assert "## three" in text
    assert "secret" not in text
    assert str(system.path) not in text
    assert is_ours(hub.files[FILE])
    count = len(hub.commits)
    system.push()
    assert len(hub.commits) == count
    new = retain_another(system, "three")  # as if it came from somebody else: no run here made it
    with pytest.raises(InputError, match=r"no run of .* made the model of 'three'"):
        system.explain("three")
    system.push()
    assert new[:10] in hub.files[FILE].decode()
    found = ObjectPlace(HubBucket(NAME, hub))
    assert found.open()
    assert check(found).ok


def test_what_a_person_wrote_is_left_alone(hub: FakeHub, system: munet.System) -> None:
    system.push()
    edited = hub.files[FILE].replace(b"*to be filled in*", b"CC BY 4.0")
    hub.commits.append({**hub.files, FILE: edited})
    retain_another(system, "three")
    system.push()
    assert hub.files[FILE] == edited
    hub.commits.append({**hub.files, FILE: b"# Mine\n"})
    retain_another(system, "three", seed=1)
    system.push()
    assert hub.files[FILE] == b"# Mine\n"


def test_who_knows_less_than_is_there_writes_no_card(hub: FakeHub, system: munet.System, tmp_path: Path) -> None:
    system.push(["three"])
    assert b"## other" not in hub.files[FILE], "it is not shared there yet"
    system.push()
    full = hub.files[FILE]
    assert b"## other" in full
    less = munet.System.open(shutil.copytree(system.path, tmp_path / "less"))
    less.remove_task("other")
    retain_another(less, "three")
    less.push()
    assert hub.files[FILE] == full


def test_a_signed_card_is_known_until_it_is_changed() -> None:
    data = signed("# Fleet\n")
    assert is_ours(data)
    assert not is_ours(data.replace(b"Fleet", b"Flaat"))
    assert not is_ours(data + b"more")
    assert not is_ours(b"# Fleet\n")
