"""What the jobs are about, as frozen data: no I/O, no clock, standard library only."""
