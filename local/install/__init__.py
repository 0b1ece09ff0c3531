"""Set-up: the virtual environment, Java, the jars."""
