"""Rules that run the methods of dictionaries; they import the evaluation only when methods are asked for."""
