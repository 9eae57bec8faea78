"""The jobs, over python-troveclient's managers: no argparse, no printing."""
