"""DIC: names, types, states, ranges and keys as the dictionary defines them."""
