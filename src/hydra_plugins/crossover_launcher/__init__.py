"""Hydra launchers that a job's death does not end."""
