"""The instrument in numbers: axes, scans, detector and beam as plain arrays, without any rules."""
