"""`headrace new`: a contract drafted from a sample, each guess with what it was concluded from."""
