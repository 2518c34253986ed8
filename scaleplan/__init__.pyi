from scaleplan.api import budget as budget
from scaleplan.api import check as check
from scaleplan.api import fit as fit
from scaleplan.api import load_fit as load_fit
from scaleplan.api import read_runs as read_runs
from scaleplan.api.loop import backtest as backtest
from scaleplan.api.loop import compare as compare
from scaleplan.api.loop import next_runs as next_runs
from scaleplan.api.loop import tune as tune
from scaleplan.errors import ScaleplanError as ScaleplanError

__version__: str
__all__: list[str]
