"""Raw data of one simulated experiment in the formats of detectors and programs, for generator cases."""
