"""Carries out what the hub asks, once, and answers with what is true afterwards."""

from holdfast_pipecat.commands.dispatch import Commands

__all__ = ["Commands"]
