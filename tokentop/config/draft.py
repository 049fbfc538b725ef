"""The configuration while it is being put together: values, where each came from, problems."""

from tokentop.config.key import Key
from tokentop.config.keys import ARRAYS, fields, row_keys, table
from tokentop.config.policy_keys import CONSTRAINTS
from tokentop.config.problems import Problem
from tokentop.config.values import Bad
from tokentop.light_typing import Any
from tokentop.named_tuple import NamedTuple


class Origin(NamedTuple):
    """Where a value came from: `kind` is default, file, environment or flag."""

    kind: str = "default"
    name: str = ""
    line: int | None = None

    def __str__(self) -> str:
        line = "" if self.line is None else f":{self.line}"
        return f"{self.kind} {self.name}{line}".rstrip()

    def problem(self, key: str, text: str) -> Problem:
        place = f"environment variable {self.name}" if self.kind == "environment" else self.name
        return Problem(place, self.line, key, text)


class ConfigBuilder:
    """Values by dotted key, later layers over earlier ones; wrong ones become problems."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {key.name: key.default for key in table().values()}
        self.origins: dict[str, Origin] = {}
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        # where the keys of each [[engine]], [[host]], [[alert]] are: engine[1], engine[2]...
        self.rows: dict[str, list[str]] = {array: [] for array in ARRAYS}
        self.replaced: dict[str, object] = {}  # what a higher layer replaced
        self._wrong: set[str] = set()

    def put(self, key: Key, value: object, origin: Origin) -> None:
        """Take a checked value, or note what is wrong with it."""
        if isinstance(value, Bad):
            self._wrong.add(key.name)
            self.problems.append(origin.problem(key.name, value.text))
        else:
            if key.name in self.origins:
                self.replaced[key.name] = self.values[key.name]
            self.values[key.name] = value
            self.origins[key.name] = origin

    def add_row(self, at: str, origin: Origin) -> None:
        """Make room for one table of many, like engine[1], whose keys are `at`.url and so on."""
        self.rows[at.partition("[")[0]].append(at)
        self.origins[at] = origin
        self.values |= {f"{at}.{name}": row.default for name, row in row_keys(at).items()}

    def origin(self, name: str) -> Origin:
        """Return where a key was set, else where the table that it belongs to stands."""
        return self.origins.get(name) or self.origins.get(name.rpartition(".")[0], Origin())

    def is_valid(self, *names: str) -> bool:
        """Whether none of these keys has a problem so far."""
        return not self._wrong & set(names)

    def add_problem(self, name: str, text: str) -> None:
        """Note a problem with a key's value at the place that gave it."""
        self._wrong.add(name)
        self.problems.append(self.origin(name).problem(name, text))

    def constrain(self) -> None:
        """Compare the keys that bound each other, where both are right by themselves."""
        for lower, upper, equal in CONSTRAINTS:
            low, high = self.values[lower], self.values[upper]
            assert isinstance(low, float)
            assert isinstance(high, float)
            in_order = low < high or (equal and low == high)
            if not in_order and not {lower, upper} & self._wrong:
                self._misordered((lower, low), (upper, high), equal)

    def _misordered(self, lower: tuple[str, float], upper: tuple[str, float], equal: bool) -> None:
        """Add a problem to the key that was set, the upper one where both were."""
        upper_is_set = self.origin(upper[0]).kind != "default"
        (name, value), (other, bound) = (upper, lower) if upper_is_set else (lower, upper)
        side, limit = ("above", "at least") if upper_is_set else ("below", "at most")
        relation = {"above": "below", "below": "above"}[side] if equal else f"not {side}"
        mend = f"set it to {limit} {bound}" if equal else f"set it {side} {bound}"
        self.problems.append(
            self.origin(name).problem(name, f"{value} is {relation} {other} {bound}; {mend}")
        )

    def section(self, path: str) -> dict[str, Any]:
        """Return the values whose place in Config is directly in `path`, by field name."""
        if path.endswith("]"):  # one of many: the others' keys are not walked through
            names = {field: f"{path}.{field}" for field in row_keys(path)}
            return {f: self.values[name] for f, name in names.items() if name in self.values}
        return {field: self.values[name] for field, name in fields(path).items()}

    def sorted_problems(self) -> tuple[Problem, ...]:
        """Return the problems place by place, each file's from top to bottom."""
        problems = list(dict.fromkeys(self.problems))
        places = list(dict.fromkeys(problem.place for problem in problems))
        return tuple(sorted(problems, key=lambda p: (places.index(p.place), p.line or 0)))
