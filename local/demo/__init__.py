"""The demonstration: one run of the wind turbine, watched."""
