"""No test waits for servers that ask for peace."""

import pytest
from net.servers import FakeTime

from imgcif_core.net.limiter import Limiter


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    times = FakeTime()
    monkeypatch.setattr("imgcif_core.net.http.LIMITER", Limiter(times.clock, times.sleep))
