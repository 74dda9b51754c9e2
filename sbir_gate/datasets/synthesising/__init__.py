"""Realistic, seeded benchmark data of any size, with its truth. Ask `dataset`."""
