"""A fresh bridge for each test."""

from pathlib import Path

import pytest

from tests.bridge.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)
