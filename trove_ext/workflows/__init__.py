"""The workflows, over python-troveclient's managers: no argparse, no printing."""
