"""Rules about statements that say the same thing twice."""
