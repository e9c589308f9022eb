"""What `make bench` measures: counts first, then ratios and medians of one run."""
