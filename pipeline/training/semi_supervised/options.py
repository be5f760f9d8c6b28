"""What `semi-train` can be told, and where its recipes are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ....errors import UsageError
from ...inference.options import DetectOptions

RECIPES = Path(__file__).parents[3] / "configs" / "semi"
DEFAULT_RECIPE = "footage"


@dataclass(frozen=True, kw_only=True)
class SemiOptions:
    """What `semi-train` can be told.

    unlabelled: videos, or folders of them; none where the recipe names subjects of a data set instead.
    labelled: what has labels, None for nothing. recipe: a name in configs/semi or a file. overrides: of its
    values. lifter: to start from, as of `load_lifter`; footage only. detect: how people are found.
    """

    unlabelled: tuple[Path, ...] = ()
    labelled: Path | None = None
    recipe: str = DEFAULT_RECIPE
    overrides: tuple[str, ...] = ()
    lifter: str = "default"
    detect: DetectOptions = DetectOptions(people=None)  # noqa: RUF009 (frozen)

    @property
    def recipe_file(self) -> Path:
        """The recipe's file. Raises `UsageError` for a name that is not known."""
        known = sorted(path.stem for path in RECIPES.glob("*.yaml") if not path.stem.endswith("-supervised"))
        if self.recipe in known:
            return RECIPES / f"{self.recipe}.yaml"
        if Path(self.recipe).suffix in (".yaml", ".yml"):
            return Path(self.recipe)
        raise UsageError(f"no recipe {self.recipe!r}; give a YAML file or one of {', '.join(known)}")
