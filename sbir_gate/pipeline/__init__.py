"""The only wiring: joins the steps, and hands each the values and edges that it needs."""
