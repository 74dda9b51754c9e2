"""Labels made by people: draw the awards that are worth their time, and estimate quality from the labels."""
