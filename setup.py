"""Packaging of keras_asymbp; the other tools' settings are in pyproject.toml."""

import pathlib
import re

import setuptools

HERE = pathlib.Path(__file__).parent
VERSION = re.search(
    r'__version__ = "(.+)"', (HERE / "keras_asymbp" / "__init__.py").read_text()
)[1]


def _for_an_index(text: str) -> str:
    """The README without what only a clone can show: its pictures and its own files.

    The project has no public address yet. With one, `project_urls` names it, and links
    and pictures become absolute instead.
    """
    text = re.sub(r"<picture>.*?</picture>\n*", "", text, flags=re.DOTALL)
    text = re.sub(r"!\[[^]]*\]\([^)]*\)\n*", "", text)
    return re.sub(r"\[([^]]*)\]\((?!https?://|#)[^)]*\)", r"\1", text)


# With KERAS_BACKEND=jax.
JAX = ["jax>=0.10"]
PLOTS = ["matplotlib>=3.9"]
RAY = ["ray>=2.60"]
# As TensorFlow: its summaries are written by TensorBoard's code.
TENSORBOARD = ["tensorboard>=2.20"]

BENCHMARKS = [
    *PLOTS,
    "jinja2>=3.1",
    "keras-tuner>=1.4.8",
    "pillow>=10.4",
    # Tables of users, and configuration files of BioTorch.
    "pyyaml>=6.0",
    "scipy>=1.14",
    "rich>=13.9",
    # TFDS 4.9.10 needs importlib_resources to prepare a data set without saying so.
    "importlib_resources>=6.4",
    # Reads the audio of TIMIT; its wheels bring libsndfile.
    "soundfile>=0.13",
    "tensorflow-datasets>=4.9.10",
]

setuptools.setup(
    name="keras-asymbp",
    version=VERSION,
    description=(
        "Keras layers whose error travels backward through weights other than the "
        "forward ones, and the benchmarks of Liao, Leibo and Poggio (2016)"
    ),
    long_description=_for_an_index((HERE / "README.md").read_text(encoding="utf-8")),
    long_description_content_type="text/markdown",
    author="The keras_asymbp authors",
    license="Apache-2.0",
    keywords=[
        "backpropagation",
        "biologically plausible learning",
        "credit assignment",
        "feedback alignment",
        "jax",
        "keras",
        "sign symmetry",
        "tensorflow",
        "weight transport",
    ],
    python_requires=">=3.11",
    packages=setuptools.find_packages(include=["keras_asymbp", "keras_asymbp.*"]),
    include_package_data=False,  # the lists below, not MANIFEST.in
    package_data={
        "keras_asymbp": ["py.typed"],
        "keras_asymbp.feedbacks": ["*.pyi"],
        "keras_asymbp.layers": ["*.pyi"],
        "keras_asymbp.models": ["*.pyi"],
        "keras_asymbp.benchmarks.reports": [
            "static/*",
            "static/scripts/*",
            "templates/*",
        ],
        "keras_asymbp.benchmarks.run": ["*.jinja"],
        "keras_asymbp.benchmarks.tables": ["printed/*.csv"],
        "keras_asymbp.benchmarks.datasets": ["*.npz", "*.txt", "*.md"],
    },
    install_requires=["absl-py>=2.1", "keras>=3.15", "tensorflow>=2.21"],
    extras_require={
        "benchmarks": BENCHMARKS,
        "jax": JAX,
        "plots": PLOTS,
        "ray": [*BENCHMARKS, *RAY],
        "tensorboard": [*BENCHMARKS, *TENSORBOARD],
        "docs": [
            "mkdocs-material>=9.5",
            "mkdocstrings[python]>=0.26",
            # Makes pages of notebooks.
            "nbconvert>=7.16",
        ],
        "test": [
            *BENCHMARKS,
            # The report in a browser: Debian's chromium, and axe for its accessibility.
            "axe-playwright-python>=0.1.8",
            # TFDS 4.9.10 needs dill to test a builder without saying so.
            "dill>=0.3.9",
            *JAX,
            *RAY,
            *TENSORBOARD,
            "hypothesis>=6.112",
            # Runs the notebooks of docs/examples/.
            "ipykernel>=6.29",
            "nbclient>=0.10",
            "nbformat>=5.10",
            "kubernetes-validate>=1.37",
            "mypy>=1.13",
            "pandas>=2.2",
            "playwright>=1.49",
            "psutil>=6.1",
            "pytest>=8.3",
            "pytest-xdist>=3.6",
            "ruff>=0.8",
        ],
    },
    entry_points={
        "console_scripts": [
            "keras-asymbp = keras_asymbp.benchmarks.commands.subcommands:main"
        ]
    },
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Science/Research",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
)
