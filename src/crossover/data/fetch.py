"""Fetching one published file: addresses in order, progress, retries, and nothing without its checksum."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

import pooch
from tqdm import tqdm

from crossover.core.errors import CrossoverError, without_secrets
from crossover.core.files import existing

if TYPE_CHECKING:
    import requests
    from urllib3.exceptions import HTTPError

MIRROR = "CROSSOVER_DATA_MIRROR"
"""Environment variable: an address that holds `<dataset>/<file>` and is asked before all others."""

ATTEMPTS = 3  # for a transfer that broke; an address that cannot be reached is left at once
TIMEOUT = (5, 30)  # seconds to connect, seconds without a byte
CHUNK_BYTES = 1 << 16
MOST_BYTES = 10**10  # of a file whose data set's YAML says nothing
MOST_SECONDS = 6 * 3600  # of one transfer
LOWEST_RATE = 1000  # bytes a second, over any …
RATE_SECONDS = 60  # … so many seconds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishedFile:
    """A file as its publisher describes it.

    Attributes:
        name: what the file is called, at every address and on disk.
        checksum: in hexadecimal; an MD5 sum, or by its 64 digits SHA-256.
        addresses: where it is found, the publisher first; each http(s):// or file://.
        most_bytes: no more than so many are read from an address.
    """

    name: str
    checksum: str
    addresses: tuple[str, ...]
    most_bytes: int

    @property
    def algorithm(self) -> str:
        """Of the checksum: "md5" or "sha256"."""
        return "sha256" if len(self.checksum) == 64 else "md5"


_IN_WORDS = {"md5": "MD5 checksum", "sha256": "SHA-256 checksum"}


class _Unavailable(Exception):
    """One address does not give the file; the text is the reason in few words."""


def fetch(file: PublishedFile, dataset: str, folder: Path) -> Path:
    """Fetch a file from the first address that has it.

    Args:
        file: what to fetch.
        dataset: name of the data set: the mirror's subfolder.
        folder: where to; a file that is there with the right checksum is not fetched again.

    Returns:
        The file's path.

    Raises:
        CrossoverError: no address has the file, an address gives another file (nothing of it is kept), the
            folder cannot be written, or the mirror's address is not one.
    """
    pooch.get_logger().setLevel(logging.WARNING)
    addresses = [*_mirror_address(dataset, file.name), *file.addresses]
    failures = []
    for i, address in enumerate(addresses):
        try:
            # into a temporary file next to the target, which pooch renames when it is whole and else removes
            return Path(
                pooch.retrieve(
                    url=address,
                    known_hash=f"{file.algorithm}:{file.checksum}",
                    fname=file.name,
                    path=folder,
                    downloader=partial(_download, expected=file),
                )
            )
        except OSError as error:
            raise CrossoverError(
                f"cannot write {folder / file.name}: {error.strerror or error}; "
                "make the place writable or free some space"
            ) from error
        except _Unavailable as error:
            shown = without_secrets(address)
            failures.append(f"{shown} ({error})")
            if i + 1 < len(addresses):
                log.warning("%s: %s; trying %s", shown, error, without_secrets(addresses[i + 1]))
    raise CrossoverError(
        f"{file.name} of the data set {dataset} cannot be fetched from {', '.join(failures)}; check the "
        f"network, or set {MIRROR} to an address that holds {dataset}/{file.name}"
    )


def require_published(file: PublishedFile, folder: Path, made_by: str) -> Path:
    """Return the path of a fetched file after checking that it is still the publisher's.

    Raises:
        CrossoverError: the file is missing or was altered.
    """
    path = existing(folder / file.name, made_by)
    if (got := pooch.file_hash(path, alg=file.algorithm)) != file.checksum:
        raise CrossoverError(
            f"{path} is broken: its {_IN_WORDS[file.algorithm]} must be {file.checksum}, got {got}; fetch "
            f"it again with `{made_by}`"
        )
    return path


def _mirror_address(dataset: str, name: str) -> list[str]:
    """The file's address at the mirror; an empty list without a mirror."""
    mirror = os.environ.get(MIRROR, "").strip()
    if not mirror:
        return []
    parts = urlsplit(mirror)
    local = parts.scheme == "file" and parts.netloc in ("", "localhost") and parts.path
    if not local and not (parts.scheme in ("http", "https") and parts.netloc):
        raise CrossoverError(
            f"{MIRROR} must be an address like file:///folder or https://host/folder, got {without_secrets(mirror)!r}; "
            "correct the environment variable or unset it"
        )
    return [f"{mirror.rstrip('/')}/{quote(dataset)}/{quote(name)}"]


def _download(address: str, output_file: str, _pooch: Any, *, expected: PublishedFile) -> None:
    """Write the file at an address to `output_file`; the signature is that of pooch's downloaders."""
    log.info("fetching %s", without_secrets(address))
    os.unlink(output_file)  # pooch made it for its owner alone; a new one has the user's usual permissions
    if urlsplit(address).scheme == "file":
        try:
            source = open(url2pathname(urlsplit(address).path), "rb")  # noqa: SIM115 - writing errors are other errors
        except FileNotFoundError:
            raise _Unavailable("no such file") from None
        except OSError as error:
            raise _Unavailable(error.strerror) from error
        with source, tqdm(disable=True) as bar:
            _copy(source.read1, output_file, expected.most_bytes, bar)
    else:
        _download_http(address, output_file, expected)
    if (got := pooch.file_hash(output_file, alg=expected.algorithm)) != expected.checksum:
        raise CrossoverError(
            f"the {_IN_WORDS[expected.algorithm]} of {expected.name} must be {expected.checksum}, got {got} from "
            f"{without_secrets(address)}; "
            "nothing of it was kept, so correct that address's file and run again"
        )


def _download_http(address: str, output_file: str, expected: PublishedFile) -> None:
    """Download with a progress bar, and again where the transfer breaks.

    Not by `pooch.HTTPDownloader`, which waits for whole chunks, and so for ever where a byte comes now and then.

    Raises:
        _Unavailable: the host cannot be reached, has no such file, broke the transfer each time, or gives too much
            or too slowly.
    """
    import requests
    from urllib3.exceptions import HTTPError

    # Else a server may send a .gz file as a compressed transfer, which would be unpacked.
    as_it_is = {"Accept-Encoding": "identity"}
    for attempt in range(1, ATTEMPTS + 1):
        with tqdm(desc=expected.name, unit="B", unit_scale=True, disable=None) as bar:  # on a terminal alone
            try:
                with requests.get(address, headers=as_it_is, stream=True, timeout=TIMEOUT) as response:
                    response.raise_for_status()
                    bar.total = int(response.headers.get("content-length", 0)) or None
                    return _copy(response.raw.read1, output_file, expected.most_bytes, bar)
            except (requests.RequestException, HTTPError) as error:
                reason, may_pass = _why(error)
                if attempt == ATTEMPTS or not may_pass:
                    raise _Unavailable(reason) from error
        log.warning("%s: %s; attempt %d of %d", without_secrets(address), reason, attempt + 1, ATTEMPTS)
        time.sleep(attempt)


def _copy(read: Callable[[int], bytes], output_file: str, most_bytes: int, bar: tqdm) -> None:
    """Write what `read` gives until it ends.

    Raises:
        _Unavailable: it gives more than `most_bytes`, or too slowly.
    """
    begun = window = time.monotonic()
    size = size_before = 0
    with open(output_file, "wb") as target:
        while chunk := read(CHUNK_BYTES):
            size += len(chunk)
            if size > most_bytes:
                raise _Unavailable(f"more than the {most_bytes:,} bytes of most_bytes")
            target.write(chunk)
            bar.update(len(chunk))
            now = time.monotonic()
            if now - begun > MOST_SECONDS:
                raise _Unavailable(f"not at its end after {MOST_SECONDS:,} seconds")
            if now - window > RATE_SECONDS:
                if size - size_before < LOWEST_RATE * (now - window):
                    raise _Unavailable(f"less than {LOWEST_RATE:,} bytes a second")
                window, size_before = now, size


def _why(error: "requests.RequestException | HTTPError") -> tuple[str, bool]:
    """Why a transfer failed, in few words, and whether the host was reached and failed only for the moment."""
    from requests import ConnectionError, RequestException, Timeout

    if not isinstance(error, RequestException):  # it broke in the middle of the file
        return " ".join(str(error).split()) or type(error).__name__, True
    if error.response is not None:
        status = error.response.status_code
        return f"{status} {error.response.reason}", status >= 500 or status == 429
    if (cause := getattr(error.args[0], "reason", None) if error.args else None) is not None:
        return "no network: " + str(cause).split(": ", 1)[-1], False  # without the connection's own name
    return " ".join(str(error).split()) or type(error).__name__, isinstance(error, Timeout | ConnectionError)
