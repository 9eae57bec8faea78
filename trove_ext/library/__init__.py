"""The Python library: what ``import trove_ext`` offers; see ``trove_ext.__all__``."""
