"""Rules about scans, frames and the settings of axes."""
