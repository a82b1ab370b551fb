"""Bytes over the network: who may be asked, in which manner, and what the answers confirm."""
