"""The options of `videopose semi-train`, and the files of its recipes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ....errors import UsageError
from ...inference.options import DetectOptions

RECIPES = Path(__file__).parents[3] / "configs" / "semi"
DEFAULT_RECIPE = "footage"


@dataclass(frozen=True, kw_only=True)
class SemiOptions:
    """The options of `videopose semi-train`.

    Attributes:
        unlabeled: Videos, or folders of them; none if the recipe names subjects of a dataset instead.
        labeled: The file or folder of labeled motion, if there is one.
        recipe: The name of a recipe in configs/semi, or a YAML file.
        overrides: `NAME=VALUE` assignments that replace values of the recipe.
        lifter: The lifter to start from, as `load_lifter` takes it; for videos only.
        detect: How people are found in the videos.
    """

    unlabeled: tuple[Path, ...] = ()
    labeled: Path | None = None
    recipe: str = DEFAULT_RECIPE
    overrides: tuple[str, ...] = ()
    lifter: str = "default"
    detect: DetectOptions = DetectOptions(people=None)  # noqa: RUF009 (frozen)

    @property
    def recipe_file(self) -> Path:
        """The recipe's file.

        Raises:
            UsageError: There is no recipe of this name.
        """
        known = sorted(path.stem for path in RECIPES.glob("*.yaml") if not path.stem.endswith("-supervised"))
        if self.recipe in known:
            return RECIPES / f"{self.recipe}.yaml"
        if Path(self.recipe).suffix in (".yaml", ".yml"):
            return Path(self.recipe)
        raise UsageError(f"no recipe {self.recipe!r}; give a YAML file or one of {', '.join(known)}")
