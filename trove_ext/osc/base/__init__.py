"""What all commands share: the run, session, prompts, progress, output."""
