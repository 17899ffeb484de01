"""Names of jobs and multiruns, threads, and what became of each job."""

import os
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf

from crossover.core.clock import cores, threads, use_threads
from crossover.core.errors import CrossoverError
from crossover.launching import multirun, names

CONF = str(Path(__file__).parents[2] / "conf")


def composed(*overrides: str):
    """The configuration of one job of a multirun of train_classical."""
    with initialize_config_dir(CONF):
        config = compose("train_classical", list(overrides), return_hydra_config=True)
    OmegaConf.set_readonly(config.hydra, None)
    config.hydra.runtime.cwd = "/project"
    config.hydra.job.num = 0
    HydraConfig.instance().set_config(config)
    OmegaConf.set_readonly(config.hydra, False)
    return config


def name_of(*overrides: str) -> str:
    return names.job_name(_root_=composed(*overrides))


def test_a_job_is_named_by_what_it_computes():
    name = name_of("dataset=wine", "model=xgboost", "seed=3")
    assert name.startswith("wine-raw-xgboost-seed=3-")
    assert name == name_of("seed=3", "model=xgboost", "dataset=wine", "model.max_depth=6")  # 6 is the default
    assert name == name_of("dataset=wine", "model=xgboost", "seed=3", "threads=1", "tracking=none")
    others = [
        name_of("dataset=wine", "model=xgboost", "seed=3", override)
        for override in (
            "model.max_depth=7",
            "variant=tuned",
            "root=/other",
            "seeds=3",
            "features=handcrafted",
        )
    ]
    assert len({name, *others}) == 6


def test_long_overrides_fit_into_a_file_name():
    long = "x" * 400
    assert len(os.fsencode(name_of(f"variant={long}"))) <= 255
    composed(f"variant={long}", f"root=/{long}")
    assert len(os.fsencode(names.multirun_name())) <= 255


def test_a_multirun_is_named_by_its_overrides_alone():
    composed("model=xgboost", "seed=1")
    name = names.multirun_name()
    composed("seed=1", "model=xgboost", "tracking=none", "threads=1", "hydra/launcher=joblib")
    assert names.multirun_name() == name
    composed("seed=2", "model=xgboost")
    assert names.multirun_name() != name


def test_threads_are_shared_out():
    assert names.threads_each(1) == cores()
    assert names.threads_each(cores()) == 1
    assert names.threads_each(10_000) == 1
    assert names.threads_each(-1) == 1


def test_threads_are_set_for_a_job_and_taken_back(monkeypatch):
    from joblib import cpu_count
    from threadpoolctl import threadpool_info

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = threads(), [pool["num_threads"] for pool in threadpool_info()], dict(os.environ)
    assert before[1], "numpy brings a pool of threads at least"
    with use_threads(1):
        assert threads() == cpu_count() == 1
        assert {pool["num_threads"] for pool in threadpool_info()} == {1}
        assert os.environ["OMP_NUM_THREADS"] == "1"
    assert (threads(), [pool["num_threads"] for pool in threadpool_info()], dict(os.environ)) == before


def test_null_threads_are_what_the_environment_gives(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with use_threads(None):
        assert threads() == 1
    monkeypatch.delenv("OMP_NUM_THREADS")
    with use_threads(None):
        assert threads() == cores()


def test_torch_follows():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    with use_threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("value", [0, -1, True, "two", 1.5])
def test_a_wrong_number_of_threads(value):
    with pytest.raises(CrossoverError, match="threads must be a positive integer"):
        use_threads(value)


class TestCallback:
    """The callback as Hydra calls it, with job 1 of two not begun."""

    @pytest.fixture
    def config(self, tmp_path, monkeypatch):
        config = composed("model=xgboost")
        monkeypatch.setattr(multirun, "planned", lambda hydra: [["seed=0"], ["seed=1"]])
        config.hydra.sweep.dir = str(tmp_path / "multirun")
        config.hydra.runtime.output_dir = str(tmp_path)
        return config

    def end(self, config, capture, *returned: JobReturn) -> str:
        callback = multirun.Multirun()
        callback.on_multirun_start(config)
        for number in range(len(returned) or 1):
            config.hydra.job.num = number
            callback.on_job_start(config)
            if returned:
                callback.on_job_end(config, returned[number])
        with capture.at_level("INFO"):
            callback.on_multirun_end(config)
        return capture.text

    def done(self, value: object = 0.5) -> JobReturn:
        failed = isinstance(value, Exception)
        return JobReturn(status=JobStatus.FAILED if failed else JobStatus.COMPLETED, _return_value=value)

    def test_all_succeed(self, config, caplog, tmp_path):
        assert "2 jobs: 2 succeeded" in self.end(config, caplog, self.done(), self.done())
        lines = (tmp_path / "multirun" / "summary.csv").read_text().splitlines()
        assert len(lines) == 3
        assert [path.name for path in (tmp_path / "multirun").iterdir()] == ["summary.csv"]

    def test_one_fails(self, config, caplog, tmp_path):
        with pytest.raises(SystemExit) as ended:
            self.end(config, caplog, self.done(), self.done(CrossoverError("the sentence")))
        assert ended.value.code == 1
        assert "1 succeeded, 1 failed" in caplog.text
        assert "the sentence" in caplog.text
        assert "the sentence" in (tmp_path / "error.txt").read_text()

    def test_one_dies_and_one_does_not_begin(self, config, caplog):
        with pytest.raises(SystemExit):
            self.end(config, caplog)
        assert "1 killed, 1 not started" in caplog.text
        assert "killed" in caplog.text
        assert "same command again" in caplog.text
