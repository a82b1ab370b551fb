"""Rules about the detector: the layout of arrays, the pixels of panels, and where the panels stand."""
