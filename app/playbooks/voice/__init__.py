"""Recorded lines of the agent: `slt.zip`, built by `python -m app.providers.offline.build_pack`."""
