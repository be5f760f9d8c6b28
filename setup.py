"""Packaging. The repository root is the package `videopose`."""

from pathlib import Path

from setuptools import find_packages, setup

PACKAGES = find_packages(include=["pipeline*", "detectors*", "lifting*", "render*", "semi*"])

DATASETS = [
    "h5py>=3",  # stacked hourglasses' keypoints are HDF5
]
C3D = ["c3d>=0.6"]  # writes C3D files; pure Python on numpy
RTMPOSE = ["rtmlib>=0.0.16"]  # fetches RTMPose's published weights
USD = ["usd-core>=24.5"]  # writes USD files
SERVE = [
    "starlette>=0.40",  # the local page of `videopose serve`: requests and files
    "uvicorn>=0.30",  # the server below it
]
RAY = [
    "fsspec>=2024.2",  # files in stores such as s3:// (with s3fs) and gs:// (with gcsfs)
    "ray>=2.40",  # work on many machines
]
TEST = [
    *C3D,
    *DATASETS,
    *SERVE,
    "cdflib>=1.3",  # writes CDF files, which Human3.6M's original files are
    "hypothesis>=6.100",  # property tests of the loaders
    "playwright>=1.49",  # drives an installed Chromium, for tests of pages
    "pytest>=8",  # the tests
    "pytest-cov>=5",  # test coverage
    "pytest-xdist>=3.6",  # tests in parallel
    "python-osc>=1.8",  # reads what `videopose live --osc` sends
]
DOCS = [
    "mkdocs-material>=9.5",  # the site
    "mkdocstrings[python]>=0.26",  # the API reference, from docstrings
]
CHECKS = [
    "import-linter>=2.3",  # checks the rules of imports between packages
    "mypy>=1.10",  # types
    "pre-commit>=3.7",  # the quick checks at each commit
    "ruff>=0.5",  # lint and format
    "scipy-stubs",  # types of scipy, for mypy
    "types-PyYAML",  # types of PyYAML, for mypy
]

setup(
    script_name="setup.py",  # so that setuptools does not treat this file as a module of the package
    name="videopose",
    version="0.1.0",
    description="Ordinary video of people in, their motion in 3D out",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    author="The videopose authors",
    keywords="human pose estimation, motion capture, 3D, video",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Topic :: Multimedia :: Video",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    python_requires=">=3.11",
    package_dir={"videopose": "."},
    packages=["videopose", *(f"videopose.{p}" for p in PACKAGES)],
    package_data={
        "videopose": ["py.typed", "configs/**/*.yaml"],
        "videopose.lifting": ["weights/*.safetensors"],
        "videopose.pipeline.serve": ["static/*"],
        "videopose.render.page": ["static/*"],
    },
    entry_points={"console_scripts": ["videopose = videopose.pipeline.cli.main:main"]},
    install_requires=[
        "av>=18",  # reads any video without a system ffmpeg: time stamps, rotation, metadata
        "click>=8.1",  # the command line
        "ffmpeg-python>=0.2",  # drives ffmpeg, which writes the animations
        "filelock>=3.20",  # locks, so that two processes do not fetch the same asset or write the same result
        "imageio-ffmpeg>=0.5",  # contains an ffmpeg binary, for machines that have none
        "matplotlib>=3.8",  # training curves; its font for the animation's text
        "numpy>=1.26",  # arrays everywhere
        "onnx>=1.16",  # converts MoveNet's published graph, once, to the form that onnxruntime reads
        "onnxruntime>=1.18",  # runs it, three times as fast as plain PyTorch on a CPU
        # resizing, warping and drawing; the headless build needs no libraries of a window system, which
        # servers and containers do not have
        "opencv-python-headless>=4.9",
        "pillow>=10.1",  # text of the animation; EXIF of still pictures
        "platformdirs>=4",  # where the user's cache folder is
        "pydantic>=2.6",  # configurations are checked on load
        "pyyaml>=6",  # configurations are YAML
        "rich>=13",  # progress bars and tables
        "safetensors>=0.4",  # weights that cannot run code
        "scipy>=1.11",  # Hungarian assignment, Procrustes
        "torch>=2.10",  # the lifter; CVE-2026-24747 before 2.10
        "websockets>=13",  # the page of `videopose live`; pure Python
    ],
    extras_require={
        "c3d": C3D,
        "datasets": DATASETS,
        "test": TEST,
        "rtmpose": RTMPOSE,
        "serve": SERVE,
        "ray": RAY,
        "usd": USD,
        "docs": DOCS,
        "dev": [*TEST, *DOCS, *CHECKS],
    },
    zip_safe=False,
)
