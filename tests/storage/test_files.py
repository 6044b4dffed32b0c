"""The safe file store: names are matched as Windows would, and nothing leads out of the root."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from econnector.base.errors import FileMissing
from econnector.storage.files import CHUNK, FileStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with one patient's folder, and a secret beside the root."""
    folder = tmp_path / "images" / "S" / "SmithJane12"
    folder.mkdir(parents=True)
    (folder / "SmithJane5.PDF").write_bytes(b"%PDF statement")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    return tmp_path / "images"


async def read(store: FileStore, *names: str) -> bytes:
    file = await store.open(*names)
    return b"".join([chunk async for chunk in file.chunks()])


async def why(store: FileStore, *names: str) -> FileMissing:
    with pytest.raises(FileMissing) as caught:
        await store.open(*names)
    return caught.value


async def test_a_file_is_found_whatever_the_case_of_its_name_and_folders(root: Path) -> None:
    store = FileStore(root)
    assert await read(store, "s", "SMITHJANE12", "smithjane5.pdf") == b"%PDF statement"
    assert await read(store, "S\\smithjane12\\SmithJane5.pdf") == b"%PDF statement"
    assert (await store.path("s", "smithjane12")).name == "SmithJane12"


async def test_the_exact_name_wins_over_one_that_differs_in_case(root: Path) -> None:
    (root / "a.txt").write_text("small")
    (root / "A.txt").write_text("capital")
    assert await read(FileStore(root), "a.txt") == b"small"
    assert await read(FileStore(root), "A.txt") == b"capital"


async def test_accents_match_however_they_are_encoded(root: Path) -> None:
    (root / "Jos\u00e9.pdf").write_bytes(b"x")
    assert await read(FileStore(root), "Jose\u0301.PDF") == b"x"


async def test_a_large_file_comes_in_bounded_chunks_that_are_the_file(root: Path) -> None:
    data = os.urandom(3 * CHUNK * 4 + 17)
    (root / "big.bin").write_bytes(data)
    file = await FileStore(root).open("big.bin")
    chunks = [chunk async for chunk in file.chunks()]
    assert file.size == len(data)
    assert max(map(len, chunks)) <= CHUNK
    assert b"".join(chunks) == data


async def test_stopping_half_way_closes_the_file(root: Path) -> None:
    (root / "big.bin").write_bytes(os.urandom(10 * CHUNK))
    file = await FileStore(root).open("big.bin")
    chunks = file.chunks()
    await anext(chunks)
    await chunks.aclose()  # type: ignore[attr-defined]
    assert file._file.closed


HOSTILE = [
    "../secret.txt",
    "S/../../secret.txt",
    "..\\secret.txt",
    "S/./../../secret.txt",
    "/etc/passwd",
    "\\\\server\\share\\x.pdf",
    "//server/share/x.pdf",
    "C:\\secret.txt",
    "C:secret.txt",
    "S/SmithJane12/SmithJane5.PDF:stream",
    "S/SmithJane12/SmithJane5.PDF\0.png",
    "NUL",
    "con.pdf",
    "com1",
    "S//SmithJane12/SmithJane5.PDF",
    "S/SmithJane12/...",
    "S/SmithJane12/SmithJane5.PDF.",
    "S/SmithJane12/SmithJane5.PDF ",
    "~/secret.txt/..",
    "",
    " ",
    ".",
    "..",
]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_name_that_is_more_than_a_name_is_refused(root: Path, name: str) -> None:
    failure = await why(FileStore(root), name)
    assert "not a plain file name" in failure.facts["reason"]
    assert failure.facts["path"] == str(root)


@pytest.mark.parametrize("name", HOSTILE)
async def test_an_absolute_second_part_cannot_replace_the_first(root: Path, name: str) -> None:
    await why(FileStore(root), "S", name)


async def test_links_may_not_lead_out_of_the_root(root: Path) -> None:
    (root / "out.txt").symlink_to(root.parent / "secret.txt")
    (root / "outside").symlink_to(root.parent, target_is_directory=True)
    (root / "inside.pdf").symlink_to(root / "S" / "SmithJane12" / "SmithJane5.PDF")
    store = FileStore(root)
    assert "leads out" in (await why(store, "out.txt")).facts["reason"]
    assert "leads out" in (await why(store, "outside", "secret.txt")).facts["reason"]
    assert await read(store, "inside.pdf") == b"%PDF statement"


async def test_a_root_that_is_itself_a_link_works(root: Path) -> None:
    (root.parent / "link").symlink_to(root, target_is_directory=True)
    assert await read(FileStore(root.parent / "link"), "s/smithjane12/smithjane5.pdf") == b"%PDF statement"


@pytest.mark.parametrize("names", [("S", "SmithJane12", "SmithJane5.jpg"), ("S", "SmithJane12"), ("S", "SmithX", "y")])
async def test_no_message_names_what_is_below_the_root(root: Path, names: tuple[str, ...]) -> None:
    (root / "S" / "SmithJane12" / "SmithJane5.Smith Jane").touch()
    for store in (FileStore(root), FileStore(root, called="the images")):
        failure = await why(store, *names)
        assert "Smith" not in str(failure)
        assert "Smith" not in "".join(failure.facts.values())
    assert failure.facts["path"] == "the images"


async def test_the_reasons_are_told_apart(root: Path) -> None:
    store = FileStore(root)
    assert "folder does not exist" in (await why(FileStore(root / "no"), "x.pdf")).facts["reason"]
    assert "no file of that name" in (await why(store, "S", "nobody", "x.pdf")).facts["reason"]
    alike = await why(store, "S", "SmithJane12", "SmithJane5.jpg")
    assert "one that ends in .PDF" in alike.facts["reason"]
    assert alike.facts["path"] == str(root)
    assert "not a file" in (await why(store, "S", "SmithJane12")).facts["reason"]
    assert alike.facts["account"]


@pytest.fixture
def nobody() -> Iterator[None]:
    """Run as an account without rights, also where tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


@pytest.fixture
def shut() -> Iterator[Path]:
    """A folder that anybody may enter, with a file and a folder that nobody may read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "locked.pdf").write_bytes(b"x")
        (folder / "locked.pdf").chmod(0)
        (folder / "shut").mkdir(mode=0)
        yield folder


@pytest.mark.skipif(os.name == "nt", reason="rights are set in another way")
async def test_a_file_or_folder_without_read_right_says_so(shut: Path, nobody: None) -> None:  # noqa: ARG001
    assert "no right" in (await why(FileStore(shut), "locked.pdf")).facts["reason"]
    assert "no right" in (await why(FileStore(shut), "shut", "x.pdf")).facts["reason"]


async def test_what_the_patient_reads_has_no_path(root: Path) -> None:
    failure = await why(FileStore(root), "S", "SmithJane12", "gone.pdf")
    assert "Smith" not in failure.patient_text()
    assert failure.public_facts() == {}


_PARTS = st.lists(
    st.one_of(
        st.sampled_from(
            ["..", ".", "S", "s", "SmithJane12", "secret.txt", "", "C:", "\\\\srv", "~", "out", "\0", "NUL"]
        ),
        st.text(max_size=6),
    ),
    min_size=1,
    max_size=6,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(parts=_PARTS, joint=st.sampled_from(["/", "\\", "//", "/./"]))
def test_no_name_whatever_reads_anything_outside_the_root(root: Path, parts: list[str], joint: str) -> None:
    link = root / "out"
    if not link.is_symlink():
        link.symlink_to(root.parent, target_is_directory=True)
    try:
        file = FileStore(root)._open((joint.join(parts),))
    except FileMissing:
        return
    with file._file:
        assert file._file.read() == b"%PDF statement"
