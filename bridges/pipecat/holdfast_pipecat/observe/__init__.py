"""Turns what Pipecat's stock observers and frames say into the event catalogue."""

from holdfast_pipecat.observe.observer import CallObserver

__all__ = ["CallObserver"]
