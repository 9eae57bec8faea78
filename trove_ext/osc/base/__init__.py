"""What all commands share: one run, session, questions, progress, output."""
