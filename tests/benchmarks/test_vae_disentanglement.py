import json
import sys

import numpy as np
import vae_disentanglement


class Known:
    """Stands for a VAE: tells the factors up to a β of 8, then nothing."""

    def settings(self, count):
        return [{"kl": float(beta)} for beta in np.geomspace(0.5, 128, count)]

    def encode(self, pictures, kl):
        painted = pictures.max(-1) > 127
        rows = painted.any(2).argmax(1) + painted.any(2).sum(1) / 2
        mean = np.stack([rows, np.zeros(len(rows))], 1) * (kl < 8)
        return mean, np.where(mean.any(), 0.01, 1.0) * np.ones_like(mean)

    def information(self, pictures, kl):
        return np.array([2.5, 0.0]) * (kl < 8)


def test_it_says_at_which_setting_a_latent_tells_a_factor(
    tmp_path, monkeypatch, capsys
):
    results = tmp_path / "found.json"
    monkeypatch.setattr(vae_disentanglement.zoo, "load", lambda name: Known())
    monkeypatch.setattr(sys, "argv", ["program", "--results", str(results)])
    vae_disentanglement.main()
    rows = json.loads(results.read_text())["settings"]
    assert [row["latents_in_use"] for row in rows] == [int(r["kl"] < 8) for r in rows]
    for row in rows:
        told = {name: share > 0.5 for name, share in row["share"].items()}
        assert told.pop("y") == (row["kl"] < 8)
        assert not any(told.values())
    assert "gap" in capsys.readouterr().out
    assert results.with_suffix(".png").stat().st_size > 5000
