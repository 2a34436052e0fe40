"""The commands of ``spanglot``, one module for each group; ``service.cli`` puts them together."""
