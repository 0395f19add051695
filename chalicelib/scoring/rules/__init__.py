"""The model, the outputs and the indicators. Pure: arrays in, arrays out; days are integers in the programme's zone."""
