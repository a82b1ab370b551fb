"""Rules about the radiation: wavelength, probe, polarization, flux and beam centre."""
